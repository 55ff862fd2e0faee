#!/bin/sh
# Goal of this test: two runs of one pair never work at the same time.
. tests/lib/twin.sh

server one
touch "$T/hold"
relay slow one -h "$T/hold" -a "$T/connected"
account_relay left slow ann
account_maildir disk
account_imap other one bob
account_maildir disk2
pair main left disk
pair free other disk2

"$MAILTWIN" -c "$T/conf" --state-dir "$T/state" sync main \
    >"$T/first.out" 2>"$T/first.err" &
first=$!
ok "a run has begun and waits for its server" \
    wait_for 20 test -e "$T/connected"
runs 6 "a second run ends at once" sync main
has "and says why" "$T/err" 'another run|in use|locked|running|holds'
runs 6 "after --wait 1 too" sync --wait 1 main
runs 0 "another pair is free" sync free
"$MAILTWIN" -c "$T/conf" --state-dir "$T/state" sync --wait 60 main \
    >"$T/second.out" 2>"$T/second.err" &
second=$!
rm "$T/hold"
wait $first
is "the first run ends well" $? 0
wait $second
is "one that waited has its turn" $? 0
done_testing
