#!/bin/sh
# Goal of this test: what scripts read: JSON lines, a silent -q, status, probe.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
pair main left disk
mail seed left 20

runs 0 "status before any run" status
runs 0 "a run" --json sync main
ok "every line is an object" jq -es 'all(type == "object")' "$T/out"
ok "with event, time and pair" jq -es 'all(has("event") and
    (.time | test("^20[0-9-]+T[0-9:.]+Z$")) and .pair == "main")' "$T/out"
ok "the last one is the summary" jq -es '.[-1].event == "summary"' "$T/out"
ok "there is one event for each message" jq -es \
    'map(select(.event == "copy" or .event == "copied")) | length == 20' \
    "$T/out"
ok "the summary has every field" jq -es '.[-1] |
    (.exit | type == "number") and (.seconds | type == "number") and
    (.failed == 0) and (.held == 0) and
    (.left, .right | [.copied, .copied_bytes, .flagged, .moved, .deleted,
        .folders_created, .folders_renamed, .folders_deleted] |
        all(type == "number")) and
    (.wire | .left, .right | [.sent, .received, .round_trips,
        .connections] | all(type == "number"))' "$T/out"
ok "bytes are counted" jq -es '.[-1] | .right.copied_bytes > 4000 and
    .wire.left.received > 4000 and .wire.left.connections > 0' "$T/out"
is "JSON leaves standard error alone" "$(cat "$T/err")" ""

mail new left INBOX one two three
runs 0 "a quiet run" -q sync main
is "says nothing" "$(cat "$T/out" "$T/err")" ""
mail new left INBOX four
runs 0 "a verbose run" -v sync main
has "has a line for each action" "$T/err" 'INBOX'
hasnt "but not the protocol" "$T/err" 'FETCH'
runs 0 "a run" sync main
ok "no control characters without a terminal" \
    sh -c "! grep -q '[[:cntrl:]]' '$T/err'"

runs 0 "status" status
has "names the pair" "$T/out" 'main'
runs 0 "status in JSON" --json status
ok "is JSON" jq -es 'length > 0' "$T/out"
# A file that got the number of a closed stream would be written to in its place.
for closed in "<&-" ">&-" "2>&-" "<&- >&- 2>&-"; do
    mail new left INBOX "with $closed"
    sh -c "exec $closed; exec \"\$@\"" sh "$MAILTWIN" -c "$T/conf" \
        --state-dir "$T/state" -q sync main
    is "a run with $closed" $? 0
    equal "both sides are equal" left disk
done
dovecot_stop "$T/one"
runs 0 "status needs no server" status main
runs 4 "a run does" sync main
runs 0 "status after a failure" status main
server again tier=condstore
account_imap far again ann
runs 0 "probe" probe far
has "names the capabilities" "$T/out" 'CONDSTORE'
has "and the tier" "$T/out" '[Tt]ier.*condstore'
has "and the folders" "$T/out" 'INBOX'
runs 0 "probe of a Maildir" probe disk
has "names the folders" "$T/out" 'Lists/dev.* 4'
runs 4 "probe of a server that is gone" probe left
done_testing
