#!/bin/sh
# Goal of this test: a message that only moved is moved on the other side too,
# without sending it again; with moves = no the same messages lie in the same
# folders in the end.
. tests/lib/twin.sh

server one
server two storage=mdbox
account_imap left one ann
account_maildir disk
account_imap far two bob
account_maildir plain
pair disk left disk
pair far left far
pair plain left plain 'moves = no'
mail bulk left INBOX 20 20000
mail new left INBOX stays
mail mkdir left Archive
runs 0 "the first runs" sync

for number in 0 1 2 3 4 5 6 7; do
    mail move left INBOX "bulk-$number" Archive
done
mail flag left Archive bulk-3 '+\Flagged' +later
runs 0 "moved on the server" --json sync disk
is "eight moves" "$(summary .right.moved)" 8
is "no copy" "$(summary '.right.copied + .left.copied')" 0
ok "no body crosses the wire" test "$(summary .wire.left.received)" -lt 30000
equal "both sides are equal" left disk
runs 0 "the same from server to server" --json sync far
is "eight moves" "$(summary .right.moved)" 8
is "no copy" "$(summary '.right.copied + .left.copied')" 0
equal "both sides are equal" left far
runs 0 "and with moves = no" --json sync plain
is "eight copies" "$(summary .right.copied)" 8
is "eight deletions" "$(summary .right.deleted)" 8
equal "the result is the same" left plain

mail move disk Archive bulk-1 "New place"
mail move disk INBOX bulk-9 Archive
runs 0 "moved in the Maildir" --json sync disk
is "two moves on the server" "$(summary .left.moved)" 2
is "no copy" "$(summary '.right.copied + .left.copied')" 0
equal "both sides are equal" left disk

mail rename left Archive Old/archive
runs 0 "a folder with a new name" --json sync disk
is "no copy" "$(summary '.right.copied + .left.copied')" 0
equal "both sides are equal" left disk
runs 0 "once more" --json sync disk
nothing_done "nothing is done"
done_testing
