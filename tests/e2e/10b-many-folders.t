#!/bin/sh
# Goal of this test: folders are visited in flights, so that what changed in
# twenty of them costs a few round trips, not some for each; counted, not timed.
. tests/lib/twin.sh

delay_ms=20
server left
server right
account_imap left left ann
account_imap right right bea
# Far off, so that what is written in one go is answered in one go: a slow
# machine would cut it into more round trips than there are.
for side in left right; do
    relay "far_$side" $side -d "$delay_ms"
done
account_relay from_left far_left ann
account_relay to_right far_right bea
pair main from_left to_right
folders=$(seq -f 'Folder%02g' 20)
for folder in $folders; do
    mail new left "$folder" one two three
done
runs 0 "the first run" sync
runs 0 "and one with nothing" --json sync
nothing_done "it does nothing"
before=$(summary .wire.left.round_trips)

# Beside those of the first connection, other logins, and the trips for the work.
# trips SIDE AT-MOST
trips() {
    _trips=$(($(summary ".wire.$1.round_trips") - before))
    _others=$(($(summary ".wire.$1.connections") - 1))
    ok "the $1 needs $_trips round trips more, $_others logins among them" \
        test "$_trips" -le $(($2 + 5 * _others))
}

doveadm -c "$T/left/conf" flags add -u ann '\Flagged' \
    mailbox 'Folder*' subject one
doveadm -c "$T/left/conf" expunge -u ann mailbox 'Folder*' subject two
runs 0 "a flag and a deletion in each of 20 folders" -vv --json sync
is "20 are flagged" "$(summary .right.flagged)" 20
is "20 are deleted" "$(summary .right.deleted)" 20
# Twice all folders.
trips left 4
# SELECT has to be answered before anything is changed: one for each folder, in
# the flight of the changes of the one before.
trips right 28
is "each folder is selected twice on the right" \
    "$(grep -c 'to_right/[0-9]: C: a[0-9]* SELECT' "$T/err")" 40

# What each header and each body costs is shared by all folders.
for folder in $folders; do
    mail new left "$folder" "four-$folder"
done
runs 0 "a new message in each of 20 folders" -vv --json sync
is "20 are copied" "$(summary .right.copied)" 20
trips left 12
trips right 16

# New on both sides and of one size: headers tell them apart, those of all
# folders in one flight, and small batches go in one, too.
for folder in $folders; do
    for side in left. right; do
        printf 'Subject: %s\n\nin %s\n' $side "$folder" >"$T/message"
        mail add ${side%.} "$folder" '' 1000000000 <"$T/message"
    done
done
runs 0 "a new message on each side in each of 20 folders" -vv --json sync
is "20 are copied to the right" "$(summary .right.copied)" 20
is "20 are copied to the left" "$(summary .left.copied)" 20
is "headers are asked for once in each folder of each side" \
    "$(grep -c 'C: a[0-9]* UID FETCH .*HEADER.FIELDS' "$T/err")" 40
trips left 16
trips right 20
mail dump left >"$T/left.dump"
mail dump right >"$T/right.dump"
same "both sides are the same" "$T/left.dump" "$T/right.dump"
done_testing
