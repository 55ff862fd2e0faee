#!/bin/sh
# Goal of this test: whatever the owners of two mailboxes do between runs, and
# whatever befalls the runs, nothing is lost, doubled or brought back, the sides
# are in step again after at most two runs, and each message that was removed on
# a server had its reason (tests/lib/worlds.py).
#
#   ONLY=NAME        one of the combinations below
#   SEED=N COUNT=N   these worlds
#   SKIP=N,...       without these acts of the world
#   ROUNDS=N         of acts and runs in each
# With TORTURE set, SECONDS_EACH (90) for each combination.
. tests/lib/twin.sh

if [ -n "${TORTURE-}" ]; then
    seconds=${SECONDS_EACH-90}
else
    seconds=
fi

# A server's relay, which cuts connections and writes down what comes by.
watched() {
    relay "$1-relay" "$1" -C "$T/$1/cut" -w "$T/$1/wire"
    cp "$T/$1-relay.port" "$T/$1/relay_port"
}

# worlds NAME COUNT LEFT RIGHT
worlds() {
    if [ -n "${ONLY-}" ] && [ "$ONLY" != "$1" ]; then
        return
    fi
    for _side in "$3" "$4"; do
        case $_side in
        *:*) start "${_side%%:*}" "$(basename "${_side#*:}")" || return ;;
        esac
    done
    if python3 tests/lib/worlds.py --mailtwin "$MAILTWIN" --place "$T" \
        --name "$1" --seed "${SEED-1}" --count "${COUNT-$2}" \
        ${seconds:+--seconds "$seconds"} ${SKIP:+--skip "$SKIP"} \
        ${ROUNDS:+--rounds "$ROUNDS"} --row "random worlds: $1" ${MORE-} \
        "$3" "$4" >"$T/worlds.log" 2>&1; then
        tee -a "$T/all.log" <"$T/worlds.log"
        pass "$1: all is in step in the end"
    else
        tee -a "$T/all.log" <"$T/worlds.log"
        fail "$1: all is in step in the end"
    fi
}

# A server, once.
start() {
    [ ! -d "$T/$2" ] || return 0
    case $1 in
    dovecot | bare) server "$2" "tier=$2" ;;
    *)
        _why=$("$1_lack")
        if [ -n "$_why" ]; then
            skip "worlds with $1" "$_why"
            return 1
        fi
        server "$2" "kind=$1"
        ;;
    esac
    watched "$2"
}

ok "the oracle and the lint see what is wrong" \
    python3 tests/lib/worlds_selftest.py

worlds "Dovecot resync, Maildir" 2 "dovecot:$T/resync" maildir
worlds "Dovecot condstore, Maildir++" 2 maildir++ "dovecot:$T/condstore"
worlds "Dovecot plain, Maildir" 2 "dovecot:$T/plain" maildir
worlds "Dovecot bare, Maildir" 2 "bare:$T/bare" maildir
worlds "Dovecot resync, Dovecot plain" 2 "dovecot:$T/resync" "dovecot:$T/plain"
worlds "Cyrus, Maildir" 1 "cyrus:$T/cyrus" maildir
worlds "Dovecot resync, Cyrus" 1 "dovecot:$T/resync" "cyrus:$T/cyrus"
worlds "Courier, Maildir" 1 "courier:$T/courier" maildir
# Acts while runs are under way.
MORE=--busy
worlds "during runs: resync, Maildir" 1 "dovecot:$T/resync" maildir
worlds "during runs: resync, plain" 1 "dovecot:$T/resync" "dovecot:$T/plain"
MORE=

ROUNDS=${ROUNDS-${TORTURE:+5}}
ROUNDS=${ROUNDS:-2}
worlds "mailutils, Maildir" 1 "mailutils:$T/mailutils" maildir
sed -n 's/.* \([0-9]*\) of \([0-9]*\) deletions on the wire.*/\1 \2/p' "$T/all.log" |
    awk '{ good += $1; all += $2 } END {
        printf "# row: deletions, each justified on the wire | %d deletions | " \
            "unjustified %d\n", all, all - good }'
done_testing
