#!/bin/sh
# Goal of this test: the server stores a message and the answer never arrives;
# the message is there once.
. tests/lib/twin.sh

for tier in resync plain bare; do
    server "$tier" "tier=$tier"
    relay "cut_$tier" "$tier" -x 'Append completed'
    account_maildir "disk_$tier"
    account_relay "far_$tier" "cut_$tier" ann
    pair "$tier" "disk_$tier" "far_$tier"
    mkdir "$T/disk_$tier"
    mail seed "disk_$tier" 40
    printf 'Subject: twin\n\nsame\n' >"$T/twin"
    mail add "disk_$tier" INBOX '' 1000000000 <"$T/twin"
    mail add "disk_$tier" INBOX '' 1000000000 <"$T/twin"

    runs 0 "$tier: the run goes on after the cut" sync "$tier"
    equal "$tier: all is there, once" "disk_$tier" "far_$tier"
    runs 0 "$tier: one more" --json sync "$tier"
    nothing_done "$tier: does nothing"
done
done_testing
