#!/bin/sh
# Goal of this test: rows 5 to 8 and 16 of the table of who wins: a message that
# was moved here, and moved, deleted or flagged there.
. tests/lib/twin.sh

server one
server two tier=bare storage=sdbox
account_imap ann one ann
account_maildir disk
pair ann ann disk
account_imap bob one bob
account_imap carol two carol
pair bob bob carol "on_conflict = right"

for pair in ann:disk:Left bob:carol:Right; do
    left=${pair%%:*} right=${pair#*:} goal=${pair##*:}
    right=${right%:*}
    for subject in five six seven eight fresh; do
        mail new "$left" INBOX "$subject"
    done
    mail bulk "$left" INBOX 12 4000
    printf 'Subject: twin\n\nsame\n' >"$T/twin"
    mail add "$left" INBOX '' 1000000000 <"$T/twin"
    mail add "$left" INBOX '' 1000000000 <"$T/twin"
    for folder in X Left Right; do
        mail mkdir "$left" "$folder"
    done
    runs 0 "$left: the first run" sync "$left"

    mail move "$left" INBOX five X
    mail delete "$right" INBOX five
    mail move "$right" INBOX six X
    mail flag "$right" X six '+\Draft'
    mail flag "$left" INBOX six '+\Flagged'
    mail move "$left" INBOX seven X
    mail move "$right" INBOX seven X
    mail move "$left" INBOX eight Left
    mail move "$right" INBOX eight Right
    runs 0 "$left: a run after all of that" --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    where() {
        for folder in INBOX X Left Right; do
            mail raw "$1" "$folder" "$2" >"$T/raw" 2>/dev/null &&
                echo "$folder"
        done
    }
    for row in 5:five 6:six 7:seven; do
        is "$left: row ${row%:*}: it is in the folder it was moved to, once" \
            "$(where "$right" "${row#*:}")" X
    done
    is "$left: row 8: it is where on_conflict says, once" \
        "$(where "$right" eight)" "$goal"
    like=$(mail dump "$right" | grep -c "^X	.*Draft.*Flagged")
    is "$left: row 6: with the flags of both" "$like" 1
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"
done

# Row 16: on a disk twins can be told apart by their files.
rm "$(grep -rl '^Subject: twin' "$T/disk/INBOX" | head -n 1)"
runs 0 "a run after one of two twins was deleted" --json sync ann
equal "row 16: both sides are equal" ann disk
is "row 16: exactly one is deleted" "$(summary .left.deleted)" 1
done_testing
