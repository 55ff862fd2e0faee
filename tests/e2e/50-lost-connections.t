#!/bin/sh
# Goal of this test: connections that never last are taken up again within one
# run, which goes on where it was: all is there in the end, once.
. tests/lib/twin.sh
. tests/lib/provider.sh

# Each connection carries a few messages and no more: the body of one in the
# middle is cut, as are commands, literals and the answers to them.
bytes=60000

for tier in resync plain bare; do
    server "$tier" "tier=$tier"
    relay "cut_$tier" "$tier" -c "$bytes" -s "$T/$tier.links"
    account_imap "near_$tier" "$tier" ann
    account_relay "from_$tier" "cut_$tier" ann
    account_maildir "disk_$tier"
    account_relay "to_$tier" "cut_$tier" bob
    account_imap "end_$tier" "$tier" bob
    mkdir "$T/disk_$tier"
    mail seed "near_$tier" 40
    mail bulk "near_$tier" Bulk 80 4000
    printf 'Subject: twin\n\nsame\n' >"$T/twin"
    mail add "near_$tier" INBOX '' 1000000000 <"$T/twin"
    mail add "near_$tier" INBOX '' 1000000000 <"$T/twin"

    pair "down_$tier" "from_$tier" "disk_$tier"
    runs 0 "$tier: from a server that cannot be held" sync "down_$tier"
    equal "$tier: all is there, once" "near_$tier" "disk_$tier"
    ok "$tier: it took many connections" \
        test "$(wc -l <"$T/$tier.links")" -gt 8

    : >"$T/$tier.links"
    pair "up_$tier" "disk_$tier" "to_$tier"
    runs 0 "$tier: to such a server" sync "up_$tier"
    equal "$tier: all is there, once" "disk_$tier" "end_$tier"
    ok "$tier: it took many connections" \
        test "$(wc -l <"$T/$tier.links")" -gt 8
    runs 0 "$tier: one more" --json sync "up_$tier"
    nothing_done "$tier: does nothing"
done

# Both sides at once, and every kind of change.
account_relay to_carol cut_resync carol
account_imap carol resync carol
pair both from_plain to_carol
runs 0 "between two such servers" sync both
equal "all is there, once" near_plain carol
mail move near_plain Bulk "bulk-3" INBOX
mail delete carol Bulk "bulk-4"
mail flag near_plain Bulk all +Seen
mail mkdir carol New
runs 0 "changes on both sides" sync both
equal "both sides are equal" near_plain carol

# What reached the server is stored a moment after the client saw the end.
relay late resync -c "$bytes" -d 40
account_relay to_dora late dora
account_imap dora resync dora
account_maildir some
mkdir "$T/some"
mail bulk some Bulk 60 4000
pair late some to_dora
runs 0 "a server that stores late" --json sync late
equal "nothing is there twice" some dora
is "nor was anything taken for new" "$(summary .left.copied)" 0

# The server is started anew in the middle of it.
count_files() {
    [ "$(find "$T/restarted" -type f -name '*:2,*' 2>/dev/null | wc -l)" -ge "$1" ]
}
account_maildir restarted
relay slow plain -d 30
account_relay from_slow slow ann
pair restart from_slow restarted
MAILTWIN_TEST_WAIT_MS=300 timeout 100 "$MAILTWIN" -c "$T/conf" \
    --state-dir "$T/state" -v sync restart >"$T/out" 2>"$T/err" &
waiter=$!
wait_for 20 count_files 1
dovecot_stop "$T/plain"
wait_for 20 grep -q 'trying again in' "$T/err"
dovecot_run "$T/plain"
code=0
wait "$waiter" || code=$?
is "a server that is started anew" "$code" 0
equal "all is there, once" near_plain restarted

# A few messages cost the connection each time, whichever way they go.
provider harsh fastmail poison=poisoned
account_provider harsh harsh
account_maildir fine
pair poison harsh fine
mail bulk harsh Bulk 60 500
mkdir "$T/fine"
mail bulk fine Other 60 500
for n in 1 2 3; do
    mail new harsh Bulk "poisoned-$n"
    mail new fine Other "poisoned-$((n + 3))"
done
runs 1 "messages that nobody can send" sync poison
is "they fail alone, as do those that nobody can fetch" \
    "$(grep -Ec '(Bulk|Other): (harsh|fine): message [0-9]+( \([^)]*\))?: conn' "$T/err")" 6
is "all others are there" "$(count fine) $(count harsh)" "123 123"
done_testing
