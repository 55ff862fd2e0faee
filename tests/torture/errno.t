#!/bin/sh
# Goal of this test: whatever system call fails, with whatever error, once or
# for good: nothing is lost, nothing is doubled, what is not in step is not
# called done, and the run after that goes on.
#
#     AGAIN="mixed e 28 17" tests/torture/errno.t     one point again: ENOSPC
#     AGAIN="mixed E 5 17" tests/torture/errno.t      from then on; s: short
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh
server one homes=password
PYTHONPATH=tests/lib python3 tests/torture/errno.py "$T/one" "$T/lab"
