#!/bin/sh
# Goal of this test: where there is really no room, no inode, no descriptor and
# no memory left, at any moment of a run, nothing is lost or doubled, and the
# next run with room goes on.
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh
server one homes=password
mkdir "$T/small"
trap 'umount "$T/small" 2>/dev/null; twin_end' EXIT
mount -t tmpfs none "$T/small" 2>/dev/null || rmdir "$T/small"
PYTHONPATH=tests/lib python3 tests/torture/limits.py "$T/one" "$T/lab" \
    "$T/small"
