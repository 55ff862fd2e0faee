#!/bin/sh
# Goal of this test: what was moved on one side is moved on the other, in any
# combination, without its octets crossing the wire; and with moves = no the
# same messages end up in the same folders.
. tests/lib/twin.sh

octets=400000
server one
server two storage=mdbox

account_imap ann one ann
account_maildir disk
pair ann ann disk
account_imap bob one bob
account_imap carol two carol
pair bob bob carol
account_imap dave one dave
account_maildir copy
pair dave dave copy "moves = no"

for pair in ann:disk bob:carol dave:copy; do
    left=${pair%:*} right=${pair#*:}
    mail bulk "$left" INBOX 40 10000
    mail new "$left" INBOX one
    mail new "$left" INBOX two
    mail mkdir "$left" Archive/2024
    runs 0 "$left: the first run" sync "$left"
    mail move "$left" INBOX all Archive/2024
    mail new "$left" INBOX fresh
    mail flag "$left" Archive/2024 one '+\Flagged' +kept
    mail flag "$right" INBOX two '+\Answered'
    runs 0 "$left: a run after moves on the left" --json --force-delete \
        sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    if [ "$left" != dave ]; then
        is "$left: all are moved" "$(summary .right.moved)" 42
        is "$left: one is copied" "$(summary .right.copied)" 1
        received=$(($(summary .wire.left.received) +
            $(summary .wire.right.sent)))
        ok "$left: $received octets for $octets of mail" \
            test "$received" -lt $((octets / 4))
    else
        is "$left: with moves = no nothing is moved" "$(summary .right.moved)" 0
    fi
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"

    # And back, on the other side.
    mail move "$right" Archive/2024 all INBOX
    runs 0 "$left: a run after moves on the right" --json --force-delete \
        sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    [ "$left" = dave ] ||
        is "$left: all are moved" "$(summary .left.moved)" 42
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"
done
done_testing
