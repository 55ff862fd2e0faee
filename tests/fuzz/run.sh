#!/bin/sh
# Fuzz each target for some time, over its corpus and what earlier runs found.
#
#     tests/fuzz/run.sh SECONDS WORK [TARGET ...]
#
# Prints one line for a target: "NAME: INPUTS inputs, EDGES edges, CRASHES
# crashes". WORK/NAME gets inputs that reach what was not reached before,
# WORK/crashes those that break something. Exits 1 where there is one.
#
# FUZZ_BUILD names where the programs are: build-fuzz for libFuzzer's, else
# (build-san) those that only repeat and mutate, and know nothing of edges.
build=${FUZZ_BUILD:-build-fuzz}
seconds=$1
work=$2
shift 2
corpus=tests/fuzz/corpus
[ $# -gt 0 ] || set -- $(cd $corpus && ls)
mkdir -p "$work/crashes"
status=0

# The clock of whole runs is the model's, for libFuzzer, too: it cannot tell how
# long an input takes.
with_libfuzzer() {
    mkdir -p "$work/$1"
    limit=20
    [ "$1" != sync ] || limit=0
    timeout $((seconds + 300)) \
        "$build/fuzz/$1" -max_total_time="$seconds" -timeout=$limit \
        -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$work/crashes/$1-" "$work/$1" $corpus/"$1" \
        >"$work/$1.log" 2>&1
}

inputs_of() {
    sed -n 's/^stat::number_of_executed_units: *//p; s/.* inputs, \([0-9]*\) mutations$/\1/p' "$1" | tail -n 1
}

edges_of() {
    sed -n 's/.*cov: \([0-9]*\) .*/\1/p' "$1" | tail -n 1
}

for target in "$@"; do
    crashes=0
    if [ "$build" = build-fuzz ]; then
        with_libfuzzer "$target" || crashes=1
    else
        "$build/fuzz/$target" -o "$work/crashes" -t "$seconds" \
            $corpus/"$target" >"$work/$target.log" 2>&1 || crashes=1
    fi
    inputs=$(inputs_of "$work/$target.log")
    edges=$(edges_of "$work/$target.log")
    echo "$target: ${inputs:-0} inputs, ${edges:-0} edges, $crashes crashes"
    if [ $crashes -gt 0 ]; then
        status=1
        grep -E 'does not hold|ERROR:|runtime error|SUMMARY|reproduce|written to' \
            "$work/$target.log" | sed 's/^/    /'
    fi
done
exit $status
