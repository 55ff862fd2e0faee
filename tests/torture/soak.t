#!/bin/sh
# Goal of this test: a large mailbox crosses a line that breaks again and again,
# every 10 MB, both ways: it arrives once, whole, in few runs, in less memory
# than it has octets, and a cut costs what was under way, not what had arrived.
. tests/lib/twin.sh

if [ -n "${TORTURE-}" ]; then
    messages=${MESSAGES:-100000} cut=10000000 folders=10
else
    messages=${MESSAGES:-3000} cut=1500000 folders=3
fi
bytes=2200
MAILTWIN=${PLAIN_MAILTWIN:-./mailtwin}


server one
relay far one -c $cut -s "$T/wire"
account_relay left far ann
account_maildir disk
account_relay again far bob
pair pull left disk "max_delete = off"
pair push disk again "max_delete = off"
mkdir -p "$T/one/home/ann"
python3 "$TESTS/bench/corpus.py" "$T/one/home/ann/mail" $folders "$messages" \
    $bytes
[ "$(id -u)" != 0 ] || chown -R nobody: "$T/one/home/ann"

# What messages lie below a directory, whatever their names.
bodies() {
    find "$1" -type f \( -path '*/cur/*' -o -path '*/new/*' \) -print0 |
        xargs -0 sha256sum | cut -c 1-64 | sort
}
bodies "$T/one/home/ann" >"$T/want"
size=$(find "$T/one/home/ann" -path '*/cur/*' -type f -printf '%s\n' |
    awk '{ all += $1 } END { print all }')
is "there are so many messages" "$(wc -l <"$T/want")" "$messages"

# cross PAIR WHAT DIRECTORY
cross() {
    : >"$T/wire"
    runs=0 code=1
    while [ "$code" != 0 ] && [ $runs -lt 5 ]; do
        code=0
        "$TOOLS/measure" "$T/cost" timeout 3000 "$MAILTWIN" -c "$T/conf" \
            --state-dir "$T/state" --json sync "$1" >"$T/out" 2>"$T/err" ||
            code=$?
        runs=$((runs + 1))
        peak=$(cut -d ' ' -f 3 "$T/cost")
        echo "# $1: run $runs: exit $code, seconds and KB: $(cat "$T/cost")"
    done
    is "$1: in step after $runs runs" "$code" 0
    cuts=$(wc -l <"$T/wire")
    bodies "$3" >"$T/got"
    lost=$(comm -23 "$T/want" "$T/got" | wc -l)
    doubled=$(comm -13 "$T/want" "$T/got" | wc -l)
    is "$1: none is missing, none is there twice" "$lost $doubled" "0 0"
    crossed=$(awk '{ all += $1 + $2 } END { print all }' "$T/wire")
    # A batch, of a megabyte, has to be sent again as a whole.
    ok "$1: $cuts cuts, $crossed bytes for $size" \
        test "$crossed" -lt $((size * 11 / 10 + cuts * 1200000))
    ok "$1: in $peak KB" test "$peak" -lt $((40000 + messages))
    runs 0 "$1: one more run" --json sync "$1"
    nothing_done "$1: does nothing"
    echo "# row: $messages messages $2, cut again and again" \
        "| $cuts cuts, one each $((cut / 1000)) KB | lost $lost" \
        "| doubled $doubled | $((crossed * 100 / size)) % of the bytes" \
        "| $peak KB | $runs runs"
}
cross pull pulled "$T/disk"
cross push pushed "$T/one/home/bob"
done_testing
