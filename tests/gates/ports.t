#!/bin/sh
# Goal of this test: whatever is drawn, a server's two ports are two.
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh
. tests/lib/dovecot.sh

# The source of random numbers, for a while.
od() {
    echo " $drawn"
}

is_port() {
    [ "$1" -ge 20000 ] && [ "$1" -lt 32000 ]
}

two_ports() {
    # shellcheck disable=SC2046 # two words on purpose
    set -- $(dovecot_ports)
    [ $# = 2 ] && is_port "$1" && is_port "$2" && [ "$1" != "$2" ]
}

for drawn in "7 7" "0 0" "654 24654" "0 11999" "11999 0" "11999 11998" \
    "65535 65535"; do
    ok "two ports from $drawn" two_ports
done
done_testing
