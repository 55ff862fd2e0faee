#!/bin/sh
# Goal of this test: new UIDs for the same mail (a moved, restored or recreated
# folder) delete nothing, double nothing, and the pair works on.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
pair main left disk
mail seed left 40
printf 'Subject: twin\r\n\r\nsame\r\n' >"$T/twin"
mail add left INBOX '' 1000000000 <"$T/twin"
mail add left INBOX '' 1000000000 <"$T/twin"
runs 0 "the first run" sync main
mail dump left >"$T/all"

doveadm -c "$T/one/conf" mailbox update -u ann --uid-validity 4242 INBOX
runs 0 "a new UIDVALIDITY" --json sync main
is "nothing is copied or deleted" "$(summary '[.left, .right |
    .copied + .deleted] | add')" 0
mail dump left >"$T/now"
same "the mail is as it was" "$T/all" "$T/now"
equal "both sides are equal" left disk
runs 0 "again" --json sync main
nothing_done "nothing is done"

# New UIDs, and a message fewer: it comes back, for nothing may be deleted.
mail delete left INBOX s1-5
doveadm -c "$T/one/conf" mailbox update -u ann --uid-validity 4343 INBOX
runs 0 "a new UIDVALIDITY and a message fewer" sync main
equal "both sides are equal" left disk
is "nothing is lost" "$(count disk)" 42

# From here on all is as always.
mail delete left INBOX s1-10
mail new disk INBOX fresh
runs 0 "changes after it" sync main
equal "both sides are equal" left disk
is "one went, one came" "$(count left)" 42
done_testing
