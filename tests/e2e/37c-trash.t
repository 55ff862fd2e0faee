#!/bin/sh
# Goal of this test: with delete_mode = trash what is deleted on one side goes
# into the Trash of the other; moves and copies stay what they are, what lies in
# the Trash already is deleted, and without a Trash nothing is.
. tests/lib/twin.sh

server one
server two storage=sdbox tier=bare
account_imap ann one ann
account_maildir disk
pair ann ann disk "delete_mode = trash" "special_use = no"
account_imap bob one bob
account_imap carol two carol
pair bob bob carol "delete_mode = trash"

where() {
    for folder in INBOX X Trash; do
        mail raw "$1" "$folder" "$2" >"$T/raw" 2>/dev/null && echo "$folder"
    done | tr '\n' ' '
}
for pair in ann:disk bob:carol; do
    left=${pair%:*} right=${pair#*:}
    for subject in moved copied deleted trashed; do
        mail new "$left" INBOX "$subject"
    done
    mail mkdir "$left" X
    runs 0 "$left: the first run" sync "$left"
    mail delete "$right" INBOX deleted
    if [ "$left" = ann ]; then
        runs 1 "$left: without a Trash" sync "$left"
        has "$left: it is said" "$T/err" 'no Trash folder'
        is "$left: nothing is deleted" "$(where "$left" deleted)" "INBOX "
    fi
    mail mkdir "$left" Trash
    mail move "$left" INBOX moved X
    mail copy "$right" INBOX copied X
    mail move "$right" INBOX trashed X
    runs 0 "$left: with a Trash" --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: what was deleted is in the Trash" \
        "$(where "$right" deleted)" "Trash "
    is "$left: what was moved is not" "$(where "$right" moved)" "X "
    is "$left: nor what was copied" "$(where "$left" copied)" "INBOX X "
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"

    mail move "$left" X trashed Trash
    runs 0 "$left: a run after a message was put into the Trash" \
        --json sync "$left"
    is "$left: it is moved, not deleted" "$(summary .right.moved)" 1
    is "$left: it is in the Trash" "$(where "$right" trashed)" "Trash "
    mail delete "$left" Trash trashed
    runs 0 "$left: a run after it was deleted there" sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: it is gone" "$(where "$right" trashed)" ""
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"
done
done_testing
