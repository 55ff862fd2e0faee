#!/bin/sh
# Goal of this test: worlds in simulation by the hundred thousand, the real
# engine between model servers and Maildirs on a model disk (tests/sim/world.h),
# keep what was promised.
#
# Two processes live different worlds side by side; a world that does not keep
# it is printed as the one line that repeats it. WORLDS: of each process between
# servers; MAILDIRS: between a server and a Maildir; half as many of the kinds
# whose disk breaks.
# make check lives some of them in tests/unit/test_simulation.c.
# Sources: tests/unit/*.h tests/unit/test_simulation.c tests/sim
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

if [ -z "$TORTURE" ]; then
    echo "1..0 # SKIP a part of it is test_simulation"
    exit 0
fi
worlds=${WORLDS:-50000}
maildirs=${MAILDIRS:-12000}

# PROCESS: one after the other, kinds of worlds by name, and how many.
live() {
    failed=0
    while read -r kind n; do
        PART=", $1" KIND=$kind COUNT=$n SEED=$((1 + n * ($1 - 1))) \
            FAILURES=20 build/tests/test_simulation || failed=1
    done <<EOF
servers $worlds
servers-disk $((maildirs / 2))
maildir $maildirs
maildir-disk $((maildirs / 2))
EOF
    return $failed
}

for process in 1 2; do
    live $process >"$T/$process" &
    eval "pid$process=$!"
done
for process in 1 2; do
    eval "wait \$pid$process"
    is "process $process: its worlds keep what was promised" $? 0
    grep '^# ' "$T/$process"
done
done_testing
