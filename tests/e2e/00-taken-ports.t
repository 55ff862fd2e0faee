#!/bin/sh
# Goal of this test: a server of the tests starts, though somebody who says
# nothing has one of the ports that it draws first.
. tests/lib/twin.sh

cat >"$T/hold.py" <<'END'
import os
import random
import signal
import socket
import sys

held = None
while held is None:
    try:
        port = random.randrange(20000, 32000)
        held = socket.create_server(("127.0.0.1", port))
    except OSError:
        pass
with open(sys.argv[1] + ".new", "w", encoding="ascii") as file:
    print(port, file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.pause()
END
python3 "$T/hold.py" "$T/held" &
holder=$!
trap 'kill $holder; twin_end' EXIT
wait_for 10 test -s "$T/held"
held=$(cat "$T/held")

# The source of random numbers: first what $T/drawn says.
od() {
    if [ -s "$T/drawn" ]; then
        cat "$T/drawn"
        : >"$T/drawn"
    else
        command od "$@"
    fi
}

# dovecot_ports draws $held as the first, or as the second one.
first=$((held - 20000))
for kind in dovecot cyrus mailutils; do
    why=$("${kind}_lack")
    if [ -n "$why" ]; then
        skip "$kind" "$why"
        continue
    fi
    for drawn in "$first 0" "0 $(((first + 11999) % 12000))"; do
        echo "$drawn" >"$T/drawn"
        # shellcheck disable=SC2046 # two words on purpose
        set -- $(dovecot_ports)
        ok "one of $1 and $2 is $held" test "$1" = "$held" -o "$2" = "$held"
        echo "$drawn" >"$T/drawn"
        ok "$kind starts on others" server "$kind$1" "kind=$kind"
    done
done
done_testing
