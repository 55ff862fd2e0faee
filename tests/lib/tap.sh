# TAP for shell tests. Sourced by sh.
#
#   ok NAME COMMAND [ARGUMENT ...]   passes where COMMAND returns 0
#   is NAME GOT WANT                 passes where both texts are equal
#   same NAME FILE FILE              passes where both files are equal
#   has NAME FILE PATTERN            passes where a line matches (grep -E)
#   hasnt NAME FILE PATTERN
#   skip NAME REASON
#   done_testing                     the plan; last line of a test

tap_run=0
tap_failed=0

pass() {
    tap_run=$((tap_run + 1))
    echo "ok $tap_run - $1"
}

# Every further argument is a line that explains.
fail() {
    tap_run=$((tap_run + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_run - $1"
    shift
    for _line in "$@"; do
        printf '%s\n' "$_line" | sed 's/^/# /' | head -n 40
    done
}

skip() {
    tap_run=$((tap_run + 1))
    echo "ok $tap_run - $1 # SKIP $2"
}

ok() {
    _name=$1
    shift
    if "$@" >"$T/ok.log" 2>&1; then
        pass "$_name"
    else
        fail "$_name" "failed: $*" "$(cat "$T/ok.log")"
    fi
}

is() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "got:  $2" "want: $3"
    fi
}

same() {
    if _diff=$(diff "$2" "$3"); then
        pass "$1"
    else
        fail "$1" "$_diff"
    fi
}

has() {
    if grep -Eq -e "$3" "$2"; then
        pass "$1"
    else
        fail "$1" "no line matches: $3" "$(cat "$2")"
    fi
}

hasnt() {
    if _found=$(grep -E -e "$3" "$2"); then
        fail "$1" "these lines match: $3" "$_found"
    else
        pass "$1"
    fi
}

done_testing() {
    echo "1..$tap_run"
    [ "$tap_failed" = 0 ]
}
