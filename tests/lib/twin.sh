# What the end-to-end tests share: a directory of their own, servers, mailtwin,
# and a look at both sides by another client. Sourced by sh from the top.
#
#   $T                    the test's directory, gone when it ends; lies in
#                         $TWIN_PLACE (/tmp)
#   server NAME [kind=KIND] [KEY=VALUE ...]  start Dovecot, or another KIND:
#                                     cyrus, courier, mailutils; KEYs as in
#                                     tests/lib/KIND.sh. The test ends here, as
#                                     skipped, where KIND cannot run.
#   account_imap NAME SERVER USER     add accounts to the configuration
#   account_maildir NAME [LAYOUT [PATH]]  nested | maildir++; lies in $T/NAME
#   pair NAME LEFT RIGHT [LINE ...]   add a pair, LINEs as in the file
#   store NAME                        the account as mail.py names it
#   relay NAME SERVER [OPTION ...]    tests/tools/relay.c before SERVER
#   account_relay NAME RELAY USER     an account through it, without TLS
#   mail COMMAND ACCOUNT ...          mail.py on an account
#   mt ARGUMENT ...                   run mailtwin: $code, $T/out, $T/err
#   runs CODE NAME ARGUMENT ...       the same as a test of its exit status
#   equal NAME LEFT RIGHT             a test that both accounts hold the same
#   summary FILTER                    jq on the summary of the last --json run
#   nothing_done NAME                 a test that the last --json run did nothing
#   wait_for SECONDS COMMAND ...      until COMMAND returns 0

TESTS=${TESTS:-tests}
MAILTWIN=${MAILTWIN:-./mailtwin}
TOOLS=${TOOLS:-build/tools}
# shellcheck source=tests/lib/tap.sh
. "$TESTS/lib/tap.sh"
# shellcheck source=tests/lib/servers.sh
. "$TESTS/lib/servers.sh"
for _kind in dovecot cyrus courier mailutils; do
    # shellcheck source=/dev/null
    . "$TESTS/lib/$_kind.sh"
done

# TWIN_PLACE=/dev/shm takes another file system.
# Short, because a Unix socket's path must be; and 711, because the servers'
# mail belongs to another user where the tests run as root.
T=$(mktemp -d "${TWIN_PLACE:-/tmp}/mtXXXXXX") || exit 1
chmod 711 "$T"
servers=
code=
# A message of the sanitizers must not look like one of mailtwin's exit codes.
export ASAN_OPTIONS="exitcode=99:${ASAN_OPTIONS-}"
# Nobody waits for seconds here before trying again.
export MAILTWIN_TEST_WAIT_MS=5
export UBSAN_OPTIONS="halt_on_error=1:exitcode=99:print_stacktrace=1"
: >"$T/conf"
chmod 600 "$T/conf"

twin_end() {
    for _server in $servers; do
        "$(kind "$_server")_stop" "$T/$_server"
    done
    for _relay in "$T"/*.relay; do
        [ -f "$_relay" ] && kill "$(cat "$_relay")"
    done
    if [ -n "${KEEP-}" ]; then
        echo "# kept: $T"
    else
        rm -rf "$T"
    fi
}
trap twin_end EXIT
trap 'exit 1' INT TERM HUP PIPE

# A name as a part of a variable's.
variable() {
    echo "$1" | tr - _
}

# Which kind a server is of.
kind() {
    eval "echo \"\$kind_$(variable "$1")\""
}

server() {
    _server=$1
    shift
    _kind=dovecot
    case ${1-} in
    kind=*)
        _kind=${1#kind=}
        shift
        ;;
    esac
    _why=$("${_kind}_lack")
    if [ -n "$_why" ]; then
        skip "a server of the kind $_kind" "$_why"
        done_testing
        exit
    fi
    eval "kind_$(variable "$_server")=$_kind"
    servers="$servers $_server"
    if ! "${_kind}_start" "$T/$_server" "$@"; then
        fail "a server of the kind $_kind starts"
        done_testing
        exit 1
    fi
}

account_imap() {
    _kind=$(kind "$2")
    "${_kind}_account" "$T/$2" "$1" "$3" >>"$T/conf"
    _user=$("${_kind}_login" "$3")
    eval "store_$(variable "$1")=imap:$(cat "$T/$2/imap_port"):$_user"
}

account_maildir() {
    _path=$T/${3:-$1}
    cat >>"$T/conf" <<CONF
[account $1]
type = maildir
path = $_path
layout = ${2:-nested}

CONF
    case ${2:-nested} in
    nested) eval "store_$(variable "$1")=maildir:$_path" ;;
    *) eval "store_$(variable "$1")=maildir++:$_path" ;;
    esac
}

pair() {
    printf '[pair %s]\nleft = %s\nright = %s\n' "$1" "$2" "$3" >>"$T/conf"
    shift 3
    for _key in "$@"; do
        printf '%s\n' "$_key" >>"$T/conf"
    done
    printf '\n' >>"$T/conf"
}

wait_for() {
    _until=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -le "$_until" ] || return 1
        sleep 0.02
    done
}

relay() {
    _relay=$1
    _target=$(cat "$T/$2/imap_port")
    shift 2
    "$TOOLS/relay" -p "$T/$_relay.port" "$@" "$_target" &
    echo $! >"$T/$_relay.relay"
    wait_for 10 test -s "$T/$_relay.port"
}

account_relay() {
    servers_plain "$(cat "$T/$2.port")" "$1" "$3" >>"$T/conf"
    eval "store_$(variable "$1")=imap:$(cat "$T/$2.port"):$3"
}

store() {
    eval "echo \"\$store_$(variable "$1")\""
}

mail() {
    _command=$1
    _store=$(store "$2")
    shift 2
    python3 "$TESTS/lib/mail.py" "$_command" "$_store" "$@"
}

mt() {
    code=0
    timeout 120 "$MAILTWIN" -c "$T/conf" --state-dir "$T/state" "$@" \
        >"$T/out" 2>"$T/err" || code=$?
}

runs() {
    _want=$1 _what=$2
    shift 2
    mt "$@"
    if [ "$code" = "$_want" ]; then
        pass "$_what"
    else
        fail "$_what" "exit $code instead of $_want: mailtwin $*" \
            "$(tail -n 25 "$T/err")" "$(tail -n 5 "$T/out")"
    fi
}

equal() {
    mail dump "$2" >"$T/left.dump"
    mail dump "$3" >"$T/right.dump"
    if [ -s "$T/left.dump" ]; then
        same "$1" "$T/left.dump" "$T/right.dump"
    else
        fail "$1" "the dump of $2 is empty"
    fi
}

# How many messages an account has.
count() {
    mail dump "$1" | grep -vc '(folder)$'
}

summary() {
    jq -r "select(.event == \"summary\") | $1" "$T/out"
}

nothing_done() {
    is "$1" "$(jq -s 'map(select(.event == "summary") |
        .exit, .failed, .held, (.left, .right | .copied, .copied_bytes,
            .flagged, .moved, .deleted, .folders_created, .folders_renamed,
            .folders_deleted)) | add' "$T/out")" 0
}
