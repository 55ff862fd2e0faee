#!/bin/sh
# Goal of this test: a folder that was deleted on one side, and is made there
# again for what is new on the other, is another folder: its UIDs, which begin
# anew, are not taken for those of the messages that are gone.
. tests/lib/twin.sh

server one
server two storage=mdbox tier=condstore
account_imap ann one ann
account_imap bob two bob
pair both ann bob
account_imap carol one carol
account_imap dave two dave
pair keep carol dave "deletes = keep" "direction = right-to-left"
for account in bob dave; do
    mail new $account F old-1 old-2 old-3
    mail new $account A a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12 a13 a14
done
runs 0 "the first runs" sync

mail rmdir ann F
mail new bob F new-1
runs 0 "a folder is gone, with new mail on the other side" --json sync both
equal "both sides are equal" ann bob
is "the new mail is there once" "$(count bob)" 15
runs 0 "a run after it" --json sync both
nothing_done "does nothing"

# Many deletions are held: then the folder stays away until they are let through.
mail new bob F b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11 b12 b13 b14 b15 b16 b17
runs 0 "more mail" sync both
mail rmdir ann F
mail new bob F new-2
runs 3 "a folder with much mail is gone" --json sync both
is "nothing is copied or deleted" \
    "$(summary '.left.copied + .right.copied + .right.deleted')" 0
runs 3 "and again" --json sync both
is "nothing is copied or deleted" \
    "$(summary '.left.copied + .right.copied + .right.deleted')" 0
runs 0 "let through" --json sync --force-delete both
equal "both sides are equal" ann bob
is "only what was new is there" "$(mail subjects bob | grep -c '^F')" 1
runs 0 "a run after it" --json sync both
nothing_done "does nothing"

# With deletes = keep the old mail stays on one side; in the new folder of the
# other, what comes is paired with nothing of it.
mail rmdir dave F
mail new dave F new-1
runs 0 "an archive whose source made a folder again" sync keep
is "the old mail stays" "$(mail subjects carol | grep -c '^F')" 4
account_imap erin one erin
account_imap finn two finn
pair archive erin finn "deletes = keep"
mail new finn F old-1 old-2 old-3
mail new finn A a1 a2
runs 0 "another archive" sync archive
mail rmdir erin F
runs 0 "a folder goes, its mail is kept" sync archive
mail new finn F new-1
runs 0 "mail comes to it" sync archive
is "and is copied" "$(mail subjects erin | grep '^F')" "F	new-1	"
runs 0 "a run after it" --json sync archive
nothing_done "does nothing"
mail new erin F new-2 new-3
runs 0 "more mail comes on the other side" sync archive
is "and is copied, too" "$(mail subjects finn | grep -c '^F')" 6
mail delete erin F new-2
runs 0 "some is deleted" sync archive
is "all is kept" "$(mail subjects finn | grep -c '^F')" 6
runs 0 "status" status archive
has "status tells how many stay on one side" "$T/out" '3 messages on one side'
done_testing
