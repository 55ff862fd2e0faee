#!/bin/sh
# Goal of this test: in the system calls of real runs, what is promised is on
# the disk before it is promised. Each message: written, synced, renamed, its
# directory synced, and only then on record. Each commit of the state: its pages
# synced before the page that makes them count. Each new folder: durable before
# a message in it is on record.
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh
server one homes=password
PYTHONPATH=tests/lib python3 tests/torture/order.py "$T/one" "$T/lab"
