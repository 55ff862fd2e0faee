#!/bin/sh
# Goal of this test: a side that is suddenly empty or gone, and too many
# deletions, delete nothing on the other side; told so, they go through.
. tests/lib/twin.sh

server one
server two storage=mdbox
account_imap left one ann
account_maildir disk
account_imap other two bob
pair main left disk
pair far left other
mail seed left 60
runs 0 "the first run" sync
mail dump left >"$T/all"

# deleted_nothing WHAT: the server holds all that it held.
deleted_nothing() {
    mail dump left >"$T/now"
    same "$1: nothing is deleted" "$T/all" "$T/now"
}

# Every file of every folder is gone, the folders are there.
cp -a "$T/disk" "$T/saved"
find "$T/disk" -path '*/cur/*' -type f -delete
find "$T/disk" -path '*/new/*' -type f -delete
runs 3 "an emptied Maildir" --json sync main
deleted_nothing "an emptied Maildir"
ok "the held work is counted" test "$(summary .held)" -gt 0
runs 3 "and again" -q sync main
has "a quiet run names what is held" "$T/err" '.'
deleted_nothing "and again"
runs 3 "a plan with held work only" plan main
runs 0 "status" status main
has "status tells of it" "$T/out" '[Hh]eld'
has "and why it is" "$T/out" 'disk looks emptied'

# The folders are gone too: a disk that is not mounted.
rm -rf "$T/disk"
mkdir "$T/disk"
runs 3 "a root without its marker" sync main
deleted_nothing "a root without its marker"
is "nothing was put there" "$(find "$T/disk" -type f)" ""
rmdir "$T/disk"
runs 3 "a root that is missing" sync main
deleted_nothing "a root that is missing"
ok "it was not made" test ! -e "$T/disk"
mv "$T/saved" "$T/disk"
runs 0 "with the disk back all is well" --json sync main
nothing_done "and nothing is left to do"

# A server that is suddenly empty.
cp -a "$(dovecot_home "$T/two" bob)" "$T/kept"
doveadm -c "$T/two/conf" expunge -u bob mailbox '*' all
runs 3 "an emptied server" sync far
deleted_nothing "an emptied server"
rm -rf "$(dovecot_home "$T/two" bob)"
runs 3 "a server that lost its folders" sync far
deleted_nothing "a server that lost its folders"
rm -rf "$(dovecot_home "$T/two" bob)"
cp -a "$T/kept" "$(dovecot_home "$T/two" bob)"
runs 0 "with its mail back all is well" sync far
equal "both sides are equal" left other

# More than half of the pair, and more than ten, but not all.
mail delete disk INBOX all
mail delete disk Sent all
mail delete disk Lists/dev all
mail new left INBOX fresh
mail flag left Lists/users s1-3 '+\Flagged'
mail dump left >"$T/all"
runs 3 "too many deletions" --json sync main
is "36 are held" "$(summary .held)" 36
is "none was made" "$(summary .left.deleted)" 0
is "the rest was done: new mail" "$(summary .right.copied)" 1
deleted_nothing "too many deletions"
runs 3 "the next run holds them still" sync main
runs 0 "until it is told" --json sync --force-delete main
is "then they go through" "$(summary .left.deleted)" 36
equal "both sides are equal" left disk
runs 0 "and that is all" --json sync main
nothing_done "nothing is left to do"

# Ten messages are always allowed; a limit can be set.
mail delete disk "Bücher & Öl" s1-4 s1-9 s1-14 s1-19 s1-24
runs 0 "five deletions pass" --json sync main
is "all five" "$(summary .left.deleted)" 5
done_testing
