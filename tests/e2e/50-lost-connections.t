#!/bin/sh
# Goal of this test: connections that never last are taken up again within one
# run, which goes on where it was: all is there in the end, once.
. tests/lib/twin.sh

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
done_testing
