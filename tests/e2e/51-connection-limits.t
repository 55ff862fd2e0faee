#!/bin/sh
# Goal of this test: a server that takes few connections gets few, and nothing
# fails for it; one that takes none for now is asked again.
. tests/lib/twin.sh
. tests/lib/provider.sh

few() {
    echo "protocol imap {
  mail_max_userip_connections = $1
}"
}

server one extra="$(few 1)"
account_imap ann one ann
account_imap bob one bob
account_maildir disk
mkdir "$T/disk"
mail seed disk 30
mail bulk disk Bulk 100 4000

pair up disk ann
runs 0 "one connection a user: to it" -v sync up
equal "all is there" disk ann
has "it makes do with what there is" "$T/err" 'ann: making do with 1 connection'
runs 0 "the next run" --json sync up
nothing_done "has nothing to do"
pair across ann bob
runs 0 "one connection a user: both sides" -v sync across
equal "all is there" ann bob
mail move ann Bulk bulk-1 INBOX
mail flag bob Bulk bulk-2 +Seen
mail delete bob Bulk bulk-3
mail new ann Lists/fresh "one more"
runs 0 "changes on both sides" sync across
equal "both sides are equal" ann bob

server two extra="$(few 2)"
account_imap carol two carol
account_imap dave two dave
pair pull ann carol
runs 0 "two connections a user" sync pull
pair twins carol dave
runs 0 "two connections a user: both sides" sync twins
equal "all is there" carol dave

# The same by configuration.
server many
account_imap eve many eve
echo 'connections = 1' >>"$T/conf"
account_imap fred many fred
echo 'connections = 1' >>"$T/conf"
pair give disk eve
pair single eve fred
runs 0 "connections = 1: to it" sync give
runs 0 "connections = 1: both sides" --json sync single
equal "all is there" eve fred
is "one connection a side" \
    "$(summary '.wire.left.connections + .wire.right.connections')" 2

# A provider that says so in words only.
provider far fastmail connections=2 \
    "throttle_answer=NO Too many simultaneous connections"
account_provider far far
account_maildir copy
mail bulk far Bulk 100 4000
pair provider far copy
runs 0 "a provider that takes two" sync provider
agree "all is there" far copy

# Somebody else holds the only connection.
hold() {
    python3 - "$(cat "$T/one/imap_port")" "$T/held" <<'PY'
import imaplib, os, sys, time
client = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
client.login("ann", "secret")
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.02)
client.logout()
PY
}
hold &
holder=$!
wait_for 10 test -e "$T/held"
MAILTWIN_TEST_WAIT_MS=400 timeout 100 "$MAILTWIN" -c "$T/conf" \
    --state-dir "$T/state" -v sync up >"$T/out" 2>"$T/err" &
waiter=$!
wait_for 20 grep -q 'trying again in' "$T/err"
has "the reason is told" "$T/err" 'ann: .*[Mm]aximum number of connections'
rm "$T/held"
wait "$holder"
code=0
wait "$waiter" || code=$?
is "a run that found no connection free goes on when one is" "$code" 0
done_testing
