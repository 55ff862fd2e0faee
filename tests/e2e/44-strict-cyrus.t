#!/bin/sh
# Goal of this test: what Cyrus does not take is named, in every run, and stays
# where it is: messages with NUL or without a header, and folders of some names.
# All others are done, those with mixed line ends, too.
. tests/lib/twin.sh

server one kind=cyrus
account_maildir left
account_imap right one ann
pair main left right

mkdir "$T/left"
mail seed left 10
printf 'Subject: good\n\nx\n' | mail add left INBOX '\Seen' 1000000000
printf 'Subject: nul\n\na\0b\n' | mail add left INBOX '' 1000000001
printf 'Subject: ends\r\n\nmixed\r\nends\n' | mail add left INBOX '' 1000000002
printf 'no header at all\n' | mail add left Sent '' 1000000003
mail mkdir left '100%' 'quote"d'
mail dump left >"$T/before"

runs 1 "some are refused" --json sync main
is "two messages and two folders" "$(summary .failed)" 4
is "12 were copied" "$(summary .right.copied)" 12
for reason in "NUL" "invalid header"; do
    has "in the server's words: $reason" "$T/err" "$reason"
done
has "a folder is named" "$T/err" '100%: CREATE refused: Invalid mailbox name'
mail dump left >"$T/after"
same "nothing changed on the left" "$T/before" "$T/after"
# Cyrus makes a mailbox of Lists, which the next run brings to the left.
runs 1 "the next run says so again" sync main
runs 1 "but" --json sync main
ok "sends none of them" test "$(summary .wire.right.sent)" -lt 3000
is "and copies nothing" "$(summary '.left.copied + .right.copied')" 0
done_testing
