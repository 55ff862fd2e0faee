#!/bin/sh
# Goal of this test: no decision hangs on a clock that is right. Ten years
# behind, behind the epoch of every message, after 2038, a second or a year back
# in the middle of a run, another one from run to run: nothing is lost, nothing
# is doubled, nothing is sent again.
. tests/lib/twin.sh

# The sanitizers want to be the first library of all.
MAILTWIN=${PLAIN_MAILTWIN:-./mailtwin}
library=
for file in /usr/lib/*/faketime/libfaketimeMT.so.1 \
    /usr/lib/faketime/libfaketimeMT.so.1; do
    [ ! -r "$file" ] || library=$file
done
if [ -z "$library" ]; then
    skip "clocks that are wrong" "libfaketime is not installed"
    done_testing
    exit
fi

server one
relay far one -h "$T/hold"
account_relay left far ann
account_maildir right
account_maildir model
pair main left right "max_delete = off"
mail seed left 30
mail seed model 30
cases=0 lost=0 doubled=0

# with CLOCK COMMAND ...: mailtwin with that clock, monotonic time left alone;
# CLOCK may be a file, which is read each time that mailtwin asks.
with() {
    _clock=$1
    shift
    case $_clock in
    /*) set -- "FAKETIME_TIMESTAMP_FILE=$_clock" "$@" ;;
    *) set -- "FAKETIME=$_clock" "$@" ;;
    esac
    code=0
    env LD_PRELOAD="$library" FAKETIME_DONT_FAKE_MONOTONIC=1 \
        FAKETIME_NO_CACHE=1 NO_FAKE_STAT=1 "$@" >"$T/out" 2>"$T/err" || code=$?
}

at() {
    _clock=$1
    shift
    with "$_clock" timeout 60 "$MAILTWIN" -c "$T/conf" --state-dir "$T/state" "$@"
}

# Changes on both sides, and on the model; each round undoes some of the one
# before it.
changes() {
    {
        echo "left+model new INBOX l$1 a$1 d$1"
        echo "right+model new Sent r$1 b$1 e$1"
        printf '%s\n' "left+model flag INBOX a$1 '+\\Seen'"
        if [ "$1" -gt 1 ]; then
            echo "left+model delete INBOX l$(($1 - 1))"
            echo "right+model delete Sent r$(($1 - 1))"
            echo "right+model move INBOX a$(($1 - 1)) Lists/dev"
            echo "left+model move Sent b$(($1 - 1)) Lists/dev"
        fi
    } | python3 "$TESTS/lib/mail.py" script "left=$(store left)" \
        "right=$(store right)" "model=$(store model)"
}

judge() {
    cases=$((cases + 1))
    mail dump model | sort >"$T/model.dump"
    for _side in left right; do
        mail dump $_side | sort >"$T/$_side.dump"
        _lost=$(comm -13 "$T/$_side.dump" "$T/model.dump" | wc -l)
        _more=$(comm -23 "$T/$_side.dump" "$T/model.dump" | wc -l)
        lost=$((lost + _lost)) doubled=$((doubled + _more))
        is "$1: the $_side side is as it should be" "$_lost $_more" "0 0"
    done
}

# The run with that clock was made: what it led to.
settled() {
    is "$1: the run ends well" "$code" 0
    judge "$1"
    at "$2" --json sync main
    nothing_done "$1: the next run does nothing"
    mt --json sync main
    nothing_done "$1: nor does one with the right clock"
}

mt sync main
is "the first run, with the right clock" "$code" 0
at -10y --json sync main
is "the tool's clock can be changed" "$(summary .time | cut -c 1-4)" \
    $(($(date -u +%Y) - 10))
round=0
for clock in -10y +20y "@1970-01-02 00:00:00" "@2038-01-19 03:14:06" \
    -1s +400d "@2106-02-07 06:28:14" -3650d; do
    round=$((round + 1))
    ok "clock $clock: changes" changes $round
    at "$clock" --json sync main
    settled "clock $clock" "$clock"
done

# Back, or on, while a run waits for its server's greeting.
for step in "+0 -1s" "+0 -1y" "+3y -3y" "-2y +10y"; do
    round=$((round + 1))
    ok "clock $step: changes" changes $round
    touch "$T/hold"
    cp "$T/state/main/lock" "$T/lock.before"
    echo "${step% *}" >"$T/clock"
    at "$T/clock" --json sync main &
    run=$!
    wait_for 20 sh -c "! cmp -s '$T/state/main/lock' '$T/lock.before'"
    echo "${step#* }" >"$T/clock"
    rm "$T/hold"
    wait $run
    mt --json sync main
    settled "from $step in a run" "${step#* }"
done

# Monotonic time of another machine, as after it was started anew.
if unshare -T --monotonic 100000000 --boottime 100000000 true 2>/dev/null; then
    round=$((round + 1))
    ok "uptime of three years: changes" changes $round
    code=0
    unshare -T --monotonic 100000000 --boottime 100000000 "$MAILTWIN" \
        -c "$T/conf" --state-dir "$T/state" --json sync main >"$T/out" \
        2>"$T/err" || code=$?
    settled "uptime of three years" +0
else
    skip "uptime of three years" "no time namespace here"
fi
echo "# row: clocks wrong, stepping in a run | $cases clocks" \
    "| lost $lost | doubled $doubled"
done_testing
