#!/bin/sh
# Goal of this test: a Maildir whose files are renamed, moved and added by other
# programs all the time is never misread: no message that a scan passed over is
# taken for deleted. The scans alone 1,000 times (test_maildir_storm), and whole
# runs beside a mover, Dovecot and mutt on the same Maildir (tests 65 to 67)
# again and again. make check has them as tests of their own.
#
#   STORM_SCANS=N, ROUNDS=N   so many scans (1000), of the tests 65 to 67 (6)
# Sources: tests/unit/*.h tests/unit/test_maildir_storm.c
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

if [ -z "${TORTURE-}" ]; then
    skip "scans and runs in a storm" "make check has parts of it elsewhere"
    done_testing
    exit
fi

# The sum of the numbers in front of PATTERN.
sum() {
    sed -n "s/^#.* \([0-9][0-9]*\) $1.*/\1/p" "$T/out" |
        awk '{ n += $1 } END { print n + 0 }'
}

if STORM_SCANS=${STORM_SCANS-1000} build-san/tests/test_maildir_storm \
    >"$T/out" 2>&1; then
    pass "the scans: nothing that was passed over was believed to be gone"
else
    fail "the scans" "$(cat "$T/out")"
fi
echo "# row: Maildir scans in a rename storm | $(sum scans) scans |" \
    "unjustified $(sum 'of them believed') |" \
    "$(sum 'passed over files') passed over files, $(sum 'believed;') were believed"

runs=0
wrong=0
for round in $(seq "${ROUNDS-6}"); do
    for test in 65-dovecot-fellow 66-mover-fellow 67-mutt-fellow; do
        runs=$((runs + 1))
        if MAILTWIN=${MAILTWIN-build-san/mailtwin} "tests/e2e/$test.t" \
            >"$T/out" 2>&1; then
            pass "round $round: $test"
        else
            wrong=$((wrong + $(grep -c '^not ok' "$T/out")))
            fail "round $round: $test" "$(grep -A 20 '^not ok' "$T/out")"
        fi
    done
done
echo "# row: runs beside others on one Maildir | $runs tests |" \
    "lost $wrong | of all that went wrong"
done_testing
