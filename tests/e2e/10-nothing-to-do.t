#!/bin/sh
# Goal of this test: where nothing changed, no folder is opened, nothing is
# written, and the cost does not depend on the number of messages.
. tests/lib/twin.sh

server resync
server condstore tier=condstore
for tier in resync condstore; do
    account_imap "$tier" "$tier" ann
    account_maildir "disk_$tier"
    pair "$tier" "$tier" "disk_$tier"
    mail seed "$tier" 40
    runs 0 "$tier: the first run" sync "$tier"
    mail dump "disk_$tier" >"$T/before"
    runs 0 "$tier: the second run" -vv --json sync "$tier"
    nothing_done "$tier: it does nothing"
    has "$tier: the protocol is shown" "$T/err" 'LIST|STATUS'
    hasnt "$tier: no folder is opened" "$T/err" '(^|[^A-Z])(SELECT|EXAMINE) '
    hasnt "$tier: nothing is changed" "$T/err" \
        '(^|[^A-Z])(APPEND|STORE|EXPUNGE|CREATE|DELETE|RENAME) '
    hasnt "$tier: no password is shown" "$T/err" '(^|[^<])secret|AGFubgBzZWNyZXQ'
    mail dump "disk_$tier" >"$T/after"
    same "$tier: the Maildir is as it was" "$T/before" "$T/after"
    summary .wire.left.received >"$T/small"
    mail bulk "$tier" INBOX 400 300
    runs 0 "$tier: a run with 400 more" sync "$tier"
    runs 0 "$tier: and one with nothing" --json sync "$tier"
    nothing_done "$tier: it does nothing"
    more=$(($(summary .wire.left.received) - $(cat "$T/small")))
    ok "$tier: 400 messages cost $more bytes more" test "$more" -lt 200
done
done_testing
