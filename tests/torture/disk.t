#!/bin/sh
# Goal of this test: on a model disk, whole runs lose and double nothing when they
# are killed at each file call, when each call fails, and when the power is cut
# at each call; nor when their recovery is broken, too (test_disk_faults.c, whose
# short part is one of the units of make check).
# Sources: tests/unit/*.h tests/unit/test_disk_faults.c tests/sim
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${TORTURE:-}" ]; then
    echo "1..0 # SKIP build-san/tests/test_disk_faults is the short part"
    exit 0
fi
if [ ! -x build/tests/test_disk_faults ]; then
    echo "1..0 # SKIP no build/tests/test_disk_faults: make units"
    exit 0
fi
exec build/tests/test_disk_faults
