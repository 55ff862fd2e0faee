#!/bin/sh
# Goal of this test: a side that takes less than the other gives holds the other
# back, not the mail in memory: with 6 MB to a server that takes 1 MB a second
# the peak is hardly above that of a run at full speed.
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh

MAILTWIN=${PLAIN_MAILTWIN:-./mailtwin}
spare=3072 # KB

# measured PAIR: run it, its peak in KB into $peak.
measured() {
    code=0
    "$TOOLS/measure" "$T/cost" "$MAILTWIN" -c "$T/conf" \
        --state-dir "$T/state" --json sync "$1" >"$T/out" 2>"$T/err" || code=$?
    peak=$(cut -d ' ' -f 3 "$T/cost")
    is "$1: all is copied" "$code $(summary .right.copied)" "0 60"
}

server from
server to
relay slow to -r 1000000
account_imap left from ann
account_maildir disk
mail bulk left INBOX 60 100000
mail bulk disk INBOX 60 100000
for source in left disk; do
    account_imap "near-$source" to "near$source"
    account_relay "far-$source" slow "far$source"
    pair "fast-$source" "$source" "near-$source"
    pair "slow-$source" "$source" "far-$source"
    measured "fast-$source"
    least=$peak
    measured "slow-$source"
    seconds=$(summary '.seconds | floor')
    ok "it took $seconds s" test "$seconds" -ge 4
    ok "and $peak KB, $least KB at full speed" \
        test $((peak - least)) -lt "$spare"
done
done_testing
