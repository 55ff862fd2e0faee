#!/bin/sh
# Goal of this test: the power is cut at any moment of a run, on ext4 and xfs,
# under the Maildir, the state, or both: what is there afterwards is whole, the
# state claims nothing that was not kept, and two runs later both sides are in
# step.
#
#     ROW="one of them"                                  only the row of this name
#     AGAIN="xfs same mixed 17" tests/torture/power.t    one point again: the
#                      disks of mail and state, the scenario, the call
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh

lacks() {
    if [ "$(id -u)" != 0 ]; then
        echo "only root can mount"
    elif ! unshare -m --propagation private true 2>/dev/null; then
        echo "no mount namespace can be made here"
    elif [ ! -w /dev/loop-control ]; then
        echo "there are no loop devices"
    elif ! command -v mkfs.ext4 >/dev/null; then
        echo "mkfs.ext4 is not there"
    fi
}

why=$(lacks)
if [ -n "$why" ]; then
    skip "power cuts" "$why"
    done_testing
    exit
fi
server one homes=password extra='mail_fsync = never'
PYTHONPATH=tests/lib unshare -m --propagation private \
    python3 tests/torture/power.py "$T/one" "$T/lab"
