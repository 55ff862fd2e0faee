#!/bin/sh
# Goal of this test: interrupted, a run ends soon with 130, keeps what it did,
# and the next one goes on.
. tests/lib/twin.sh

server one
relay slow one -d 20
account_relay left slow ann
account_maildir disk
pair main left disk
mail bulk left INBOX 30 2000
mail bulk left Big 20 400000

for signal in INT TERM; do
    rm -rf "$T/disk" "$T/state"
    "$MAILTWIN" -c "$T/conf" --state-dir "$T/state" sync main \
        >"$T/first.out" 2>"$T/first.err" &
    first=$!
    ok "$signal: a run has begun" wait_for 20 test -d "$T/disk/INBOX/cur"
    kill -"$signal" $first
    wait $first
    is "$signal ends it with 130" $? 130
    is "$signal: no half message is to be seen" \
        "$(find "$T/disk" -path '*/cur/*' -size -2 | wc -l)" 0
    runs 0 "$signal: the next run goes on" sync main
    equal "$signal: both sides are equal" left disk
done
done_testing
