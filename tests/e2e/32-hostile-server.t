#!/bin/sh
# Goal of this test: a server that lies, floods or breaks off ends a run with
# an honest exit code, soon, in bounded memory, and touches nothing outside of
# the root; and it never makes a run delete anything.
. tests/lib/twin.sh

# hostile MODE: such a server, and a pair with it.
hostile() {
    mkdir -p "$T/$1"
    python3 tests/lib/hostile.py "$T/$1.port" "$1" >"$T/$1.log" 2>&1 &
    echo $! >"$T/$1.relay"
    wait_for 10 test -s "$T/$1.port"
    account_relay "$1" "$1" ann
    account_maildir "disk_$1" nested "$1/disk"
    pair "$1" "$1" "disk_$1"
}

# A gigabyte is enough for anything; the sanitizers need room of their own.
limited() {
    case $MAILTWIN in
    *san*) ;;
    *) ulimit -v 1000000 ;;
    esac
    mt "$@"
}

for case in cut-list:4 bye:4 no-list:4 empty:0 literal:4 nesting:4 long-line:4 \
    garbage:4 bad-tag:4 cut-body:4 short:1; do
    mode=${case%:*}
    hostile "$mode"
    limited sync "$mode"
    if [ "$code" = "${case#*:}" ] || { [ "${case#*:}" != 0 ] && [ "$code" -ge 1 ] && [ "$code" -le 4 ] &&
        [ "$code" != 2 ]; }; then
        pass "$mode: exit $code"
    else
        fail "$mode: exit $code instead of ${case#*:}" "$(tail -n 20 "$T/err")"
    fi
    [ "$code" = 0 ] || ok "$mode: something is said" test -s "$T/err"
done

hostile escape
limited -v sync escape
ok "escape: exit $code" test "$code" -le 4
ok "escape: no control character reaches the terminal" \
    sh -c "! tr -d '\\n\\t' <'$T/err' | grep -q '[[:cntrl:]]'"

hostile names
limited sync names
is "names: exit" "$code" 1
ok "names: nothing lies beside the root" \
    test "$(find "$T/names" -mindepth 1 -maxdepth 1 | wc -l)" = 1
is "names: nothing is outside of it" "$(find "$T" -name 'out*' ! -name out)" ""
has "names: those that cannot be are named" "$T/err" '\.\.'
done_testing
