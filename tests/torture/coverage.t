#!/bin/sh
# Goal of this test: the unit tests take 95 % of the branches of what decides,
# and of what reads a server's words; for the rest a reason is known. See
# tests/coverage/coverage.py. It needs a build of its own: in make check that is
# too dear, and only the table of reasons is held against the sources.
# Sources: tests/coverage tests/unit tests/sim
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

# Reasons for functions that are not there.
lost_reasons() {
    grep -v '^#' tests/coverage/reasons | grep . | while IFS= read -r line; do
        file=${line%%: *}
        rest=${line#*: }
        function=${rest%%: *}
        grep -q "\\b$function(" "$file" || echo "$line"
    done
}

is "each reason is about a function that is there" "$(lost_reasons)" ""
if [ -n "$TORTURE" ]; then
    make --no-print-directory coverage > "$T/out" 2>&1
    status=$?
    sed 's/^/# /' "$T/out"
    is "the planner and the parser have 95 % of their branches" $status 0
fi
done_testing
