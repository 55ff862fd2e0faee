#!/bin/sh
# Goal of this test: with delete_mode = trash what is deleted on one side goes
# into the Trash of the other; moves and copies stay what they are, what lies in
# the Trash already is deleted, and without a Trash nothing is. What a server
# without MOVE and UIDPLUS cannot expunge goes there once, not with each run.
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

mail new bob INBOX others
mail new bob INBOX stuck
runs 0 "stuck: a run" sync bob
mail flag carol INBOX others '+\Deleted'
mail delete bob INBOX stuck
for run in first second third; do
    runs 1 "stuck: another message carries \\Deleted, the $run run" sync bob
    has "stuck: it is said" "$T/err" 'not expunged'
    is "stuck: it is in the Trash once" \
        "$(mail subjects carol | grep -c '^Trash.*stuck')" 1
    is "stuck: and still where it was" \
        "$(mail subjects carol | grep -c '^INBOX.*stuck')" 1
done
mail delete bob Trash stuck
runs 1 "stuck: a run after the Trash was emptied" sync bob
is "stuck: it is not there again" "$(where carol stuck)" "INBOX "
mail flag carol INBOX others '-\Deleted'
runs 0 "stuck: a run after the other one lost its flag" sync bob
is "stuck: it is gone" "$(where carol stuck)" ""
equal "stuck: both sides are equal" bob carol
runs 0 "stuck: a run after it" --json sync bob
nothing_done "stuck: does nothing"
done_testing
