#!/bin/sh
# Goal of this test: row 17 of the table of who wins: a file that was edited in
# place goes over as the message that it is now, and then its predecessor goes;
# the edit itself is never overwritten nor deleted.
. tests/lib/twin.sh

server one
account_imap ann one ann
account_maildir disk
pair ann ann disk
account_imap bob one bob
account_maildir copy maildir++
pair bob bob copy "moves = no"

# The file of a message, by a line in it.
file_of() {
    grep -rl "^Subject: $2\$" "$T/$1" | head -n 1
}
for pair in ann:disk bob:copy; do
    left=${pair%:*} right=${pair#*:}
    for subject in edited flagged deleted kept; do
        printf 'Subject: %s\n\nfirst text\n' "$subject" |
            mail add "$left" INBOX '\Seen' 1000000000
    done
    runs 0 "$left: the first run" sync "$left"
    runs 0 "$left: the second run" --json sync "$left"
    nothing_done "$left: does nothing"

    # As sed -i does it: another file under the same name.
    sed -i 's/^first text$/another text/' "$(file_of "$right" edited)"
    before=$(file_of "$right" edited)
    mt plan "$left"
    is "$left: a plan renames no file" "$(file_of "$right" edited)" "$before"
    runs 0 "$left: a run after an edit" --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: the edit is on the server" \
        "$(mail raw "$left" INBOX edited | grep -c '^another text')" 1
    is "$left: and not twice" "$(count "$left")" 4
    is "$left: one copied" "$(summary .left.copied)" 1
    is "$left: one deleted" "$(summary .left.deleted)" 1
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"

    # Written into; and the server's is flagged, or deleted, meanwhile.
    echo 'one line more' >>"$(file_of "$right" flagged)"
    echo 'one line more' >>"$(file_of "$right" deleted)"
    mail flag "$left" INBOX flagged '+\Flagged'
    mail delete "$left" INBOX deleted
    runs 0 "$left: a run after edits against a flag and a deletion" \
        --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: both edits are on the server" \
        "$(for subject in flagged deleted; do
            mail raw "$left" INBOX "$subject"
        done | grep -c '^one line more')" 2
    is "$left: and not twice" "$(count "$left")" 4
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"
done

# A file of another program, whose name tells no size.
printf 'Subject: foreign\n\ntext\n' >"$T/disk/INBOX/cur/1700000000.M1P2.host:2,S"
touch -d @1700000000 "$(file_of disk foreign)"
runs 0 "a file of another program" sync ann
echo 'one line more' >>"$(file_of disk foreign)"
mail delete ann INBOX foreign
runs 0 "a run after it was edited, and deleted on the server" sync ann
equal "both sides are equal" ann disk
is "the edit is on the server" \
    "$(mail raw ann INBOX foreign | grep -c '^one line more')" 1
mail delete ann INBOX foreign
runs 0 "a run after the edit was deleted" sync ann
equal "deletes it" ann disk
runs 0 "one more" --json sync ann
nothing_done "does nothing"

# A name that was wrong from the start: the file is older than it.
file=$T/disk/INBOX/cur/1700000000.M1P1.host,S=7,W=8:2,S
printf 'Subject: wrong\n\nsize\n' >"$file"
touch -d @1600000000 "$file"
runs 0 "a name with another size than the file" sync ann
runs 0 "the next run" --json sync ann
nothing_done "does nothing"
mail delete ann INBOX wrong
runs 0 "a run after it was deleted on the server" sync ann
ok "deletes the file" test ! -e "$file"
equal "both sides are equal" ann disk
done_testing
