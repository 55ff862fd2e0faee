#!/bin/sh
# Goal of this test: no bytes from a server, a disk or a user break what reads
# them, nor the promises at the heads of tests/fuzz/fuzz_*.c.
#
# make check runs the corpora and about a second of mutations of them;
# TORTURE=1 lets libFuzzer look for more, FUZZ_SECONDS for each target, where
# there is clang with its runtime.
# Sources: tests/fuzz tests/sim
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

targets=$(cd tests/fuzz/corpus && ls)
how='mutated without a look at what they reach'
seconds=1
FUZZ_BUILD=build-san # those of libFuzzer are for longer runs
export FUZZ_BUILD

# Is there libFuzzer?
can_fuzz() {
    echo 'int LLVMFuzzerTestOneInput(const char *d, long n);
        int LLVMFuzzerTestOneInput(const char *d, long n) { return 0 * (d - d + n); }' |
        ${FUZZ_CC:-clang} -fsanitize=fuzzer,address -x c -o "$T/probe" - \
            2>/dev/null && "$T/probe" -runs=1 2>/dev/null
}

if [ -n "${TORTURE-}" ]; then
    seconds=${FUZZ_SECONDS:-45}
    if can_fuzz; then
        how='guided by what they reach'
        FUZZ_BUILD=build-fuzz
        ok "the fuzzers are built" make -j2 FUZZ=1 fuzzers
    else
        skip "the inputs are guided by what they reach" \
            "no clang with libFuzzer (libclang-rt-14-dev)"
    fi
fi

for target in $targets; do
    line=$(sh tests/fuzz/run.sh "$seconds" "$T/work" "$target")
    case $line in
    "$target: "*" 0 crashes")
        pass "$line"
        ;;
    *)
        mkdir -p build/crashes
        cp "$T"/work/crashes/* build/crashes/ 2>/dev/null
        fail "$target" "$line" "what broke it is in build/crashes"
        ;;
    esac
    echo "$line" >>"$T/lines"
done

# TARGET ... -> "targets inputs edges crashes"
sum() {
    _pattern="^($(echo "$*" | tr ' ' '|')): "
    grep -E "$_pattern" "$T/lines" |
        awk '{ n++; inputs += $2; edges += $4; crashes += $6 }
            END { print n, inputs, edges, crashes }'
}

# WHAT TARGET ...
row() {
    _what=$1
    shift
    # shellcheck disable=SC2046 # several words
    set -- $(sum "$@")
    echo "# row: $_what | $2 inputs, $1 targets | $4 crashes, $3 edges, $how"
}

# shellcheck disable=SC2086 # several words
row "fuzzed: parsers, names, files, records" \
    $(echo $targets | sed 's/ *\bsync\b//')
row "fuzzed: whole runs, servers that lie" sync
done_testing
