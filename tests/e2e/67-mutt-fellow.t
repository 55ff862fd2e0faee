#!/bin/sh
# Goal of this test: what mutt does in a Maildir that mailtwin keeps (flags are
# renames, saving is another name in another folder, purging removes) arrives on
# the server, and what the server's users do is fine with mutt.
. tests/lib/twin.sh

if ! command -v mutt >/dev/null || ! command -v script >/dev/null; then
    skip "mutt" "mutt or script is not installed"
    done_testing
    exit
fi

server one
account_imap left one ann
account_maildir right
pair main left right
mail mkdir left INBOX Work
mail new left INBOX m-flag m-read m-save m-purge m-new m-both
runs 0 "the first run" sync main

cat >"$T/muttrc" <<RC
set mbox_type=Maildir folder="$T/right" spoolfile="$T/right/INBOX"
set confirmappend=no confirmcreate=no delete=yes move=no quit=yes sleep_time=0
set maildir_trash=no record="" header_cache="" wait_key=no mail_check=0
set beep=no use_domain=no hostname=localhost help=no
RC

# mutt FOLDER KEYS: with a terminal of its own and nobody at it.
mutt_in() {
    HOME=$T TERM=vt100 timeout 60 script -qec "mutt -n -F '$T/muttrc' \
        -f '$T/right/$1' -e 'push \"$2<quit>\"'" "$T/typescript" \
        </dev/null >/dev/null 2>&1
}

on() {
    echo "<search>~s $1<enter>$2"
}

ok "mutt flags, reads, saves and purges" mutt_in INBOX \
    "$(on m-flag '<flag-message>')$(on m-read '<set-flag>O')$(
        on m-read '<clear-flag>N')$(on m-save '<save-message>=Work<enter>')$(
        on m-purge '<delete-message>')$(on m-both '<set-flag>r')"
mail flag left INBOX m-both '+\Flagged'
mail flag left INBOX m-new +later
mail new left INBOX m-late
runs 0 "a run after it" --json sync main
equal "both sides are equal" left right
mail dump left >"$T/after"
is "one is flagged, one is answered and flagged" \
    "$(grep -c 'Flagged' "$T/after") $(grep -c 'Answered.*Flagged' "$T/after")" \
    "2 1"
is "one is in the other folder" "$(grep -c '^Work	[^(]' "$T/after")" 1
is "one is gone, one has come" "$(grep -c '^INBOX	[^(]' "$T/after")" 5
is "the saved one is there once" "$(mail raw left Work m-save |
    grep -c '^Subject: m-save')" 1

ok "mutt goes on with what has come" mutt_in INBOX \
    "$(on m-late '<flag-message>')$(on m-new '<flag-message>')$(on m-both '<save-message>=Work<enter>')"
runs 0 "a run after that" sync main
equal "both sides are equal" left right
has "flags have gone along" "$T/left.dump" '^Work	.*\\Answered \\Flagged'
has "a keyword outlives mutt's rename" "$T/left.dump" \
    '^INBOX	.*\\Flagged .*later'
runs 0 "a run after all" --json sync main
nothing_done "does nothing"
done_testing
