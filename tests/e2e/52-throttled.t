#!/bin/sh
# Goal of this test: a server that asks for a rest gets it, and the run goes on;
# one that asks for too long a rest is left to the next run.
. tests/lib/twin.sh
. tests/lib/provider.sh

# All Mail holds everything a second time.
apart='^\[Gmail\]'

for profile in gmail exchange; do
    provider "$profile" "$profile" throttle=15 rest=60
    account_provider "$profile" "$profile"
    account_maildir "disk-$profile"
    pair "$profile" "$profile" "disk-$profile"
    mail bulk "$profile" Bulk 80 500
    runs 0 "$profile: throttled again and again" -v sync "$profile"
    agree "$profile: all is there" "$profile" "disk-$profile"
    has "$profile: the reason is told" "$T/err" \
        "$profile: .*(THROTTLED|throttled).*trying again in"
    runs 0 "$profile: the next run" --json sync "$profile"
    nothing_done "$profile: has nothing to do"
done

provider strict exchange throttle=5 rest=3600000
account_provider strict strict
account_maildir late
pair strict strict late
mail bulk strict Bulk 40 500
runs 4 "an hour is too long" sync strict
has "the server's words are told" "$T/err" 'Suggested Backoff Time'
ok "it does not ask on" test "$(commands strict 'UID FETCH.*BODY')" -lt 12

# The wait of an interrupted run ends at once.
provider slow exchange throttle=5 rest=500000
account_provider slow slow
account_maildir soon
pair slow slow soon
mail bulk slow Bulk 40 500
"$MAILTWIN" -c "$T/conf" --state-dir "$T/state" -v sync slow \
    >"$T/out" 2>"$T/err" &
waiter=$!
wait_for 20 grep -q 'trying again in' "$T/err"
kill -INT "$waiter"
code=0
wait "$waiter" || code=$?
is "an interrupt ends the wait" "$code" 130
done_testing
