#!/bin/sh
# Measure mailtwin beside the peers that are installed: mbsync and interimap.
# All on this machine: Dovecot on loopback with TLS, durable writes on, each
# program with its own defaults. Prints one table a row.
#
#   ROWS="1 2 3 4"   which rows (all)
#   RUNS=5           how often each program is measured; the median counts
#   QUICK=1          a tenth of the size, three runs
#   STORAGE=mdbox    how the target server of row 4 keeps mail
#
# 1  nothing to do: 1,000 folders, 100,000 messages, 50 ms round trip
# 2  nothing to do: one folder of 200,000 messages: bytes and memory
# 3  first pull: 10,000 messages, 132 MB, 20 folders, into a Maildir
# 4  the same from server to server
cd "$(dirname "$0")/../.." || exit 1
TESTS=tests
. tests/lib/dovecot.sh

rows=${ROWS:-1 2 3 4}
runs=${RUNS:-5}
scale=1
if [ -n "${QUICK-}" ]; then
    runs=${RUNS:-3}
    scale=10
fi
bench=$(mktemp -d "${BENCH_DIR:-/tmp}/mtXXXXXX") || exit 1
chmod 711 "$bench"
bench_end() {
    for _relay in "$bench"/*.relay; do
        [ -f "$_relay" ] && kill "$(cat "$_relay")"
    done
    dovecot_stop "$bench/one"
    dovecot_stop "$bench/two"
    rm -rf "$bench"
}
trap bench_end EXIT
trap 'exit 1' INT TERM HUP

say() {
    printf '%s\n' "$*" >&2
}

has_peer() {
    command -v "$1" >/dev/null
}

# --- the two servers, their mail, and what lies between -----------------------

# corpus USER FOLDERS MESSAGES BYTES: mail for a user of the first server.
corpus() {
    _home=$(dovecot_home "$bench/one" "$1")
    mkdir -p "$(dirname "$_home")"
    python3 tests/bench/corpus.py "$_home" "$2" "$3" "$4" || exit
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody "$(dirname "$_home")"
    fi
    doveadm -c "$bench/one/conf" index -u "$1" '*' || exit
}

# relay NAME PORT [OPTION ...]
relay() {
    _name=$1 _target=$2
    shift 2
    build/tools/relay -p "$bench/$_name.port" -s "$bench/$_name.stats" \
        "$@" "$_target" &
    echo $! >"$bench/$_name.relay"
    timeout 10 sh -c "until [ -s '$bench/$_name.port' ]; do
        sleep 0.02; done"
}

# --- configurations: the same two ends for each program ------------------------

# A side is USER@SERVER:PORT[:plain] or the path of a Maildir.
mailtwin_account() {
    case $2 in
    /*) printf '[account %s]\ntype = maildir\npath = %s\n' "$1" "$2" ;;
    *)
        _port=${2#*:}
        printf '[account %s]\ntype = imap\nhost = localhost\n' "$1"
        printf 'user = %s\npassword = secret\nport = %s\n' "${2%%@*}" \
            "${_port%:plain}"
        case $2 in
        *:plain) printf 'tls = none\nallow_plaintext = yes\n' ;;
        *) printf 'tls_ca_file = %s\n' "$bench/$(server_of "$2")/ca.pem" ;;
        esac
        ;;
    esac
}

server_of() {
    _server=${1#*@}
    echo "${_server%%:*}"
}

mbsync_store() {
    case $2 in
    /*)
        mkdir -p "$2"
        printf 'MaildirStore %s\nPath %s/\nInbox %s/INBOX\n' "$1" "$2" "$2"
        printf 'SubFolders Verbatim\n\n'
        ;;
    *)
        _port=${2#*:}
        printf 'IMAPStore %s\nHost localhost\nPort %s\nUser %s\n' "$1" \
            "${_port%:plain}" "${2%%@*}"
        printf 'Pass secret\n'
        case $2 in
        *:plain) printf 'SSLType None\n\n' ;;
        *) printf 'SSLType IMAPS\nCertificateFile %s\n\n' \
            "$bench/$(server_of "$2")/ca.pem" ;;
        esac
        ;;
    esac
}

interimap_side() {
    _port=${2#*:}
    printf '[%s]\nhost = localhost\nport = %s\nusername = %s\n' "$1" \
        "${_port%:plain}" "${2%%@*}"
    printf 'password = secret\n'
    case $2 in
    *:plain) printf 'type = imap\nSTARTTLS = NO\n\n' ;;
    *) printf 'type = imaps\nSSL_CAfile = %s\n\n' \
        "$bench/$(server_of "$2")/ca.pem" ;;
    esac
}

# configure PROGRAM NAME LEFT RIGHT: write $bench/NAME.PROGRAM; the state lies
# in $bench/NAME.state.
configure() {
    mkdir -p "$bench/$2.state"
    case $1 in
    mailtwin)
        mailtwin_account left "$3"
        mailtwin_account right "$4"
        printf '[pair main]\nleft = left\nright = right\n'
        ;;
    mbsync)
        mbsync_store far "$3"
        mbsync_store near "$4"
        printf 'Channel main\nFar :far:\nNear :near:\nPatterns *\n'
        printf 'Create Both\nExpunge Both\nCopyArrivalDate yes\n'
        printf 'SyncState %s/\n' "$bench/$2.state"
        ;;
    interimap)
        printf 'database = %s/db\n\n' "$bench/$2.state"
        interimap_side local "$4"
        interimap_side remote "$3"
        ;;
    esac >"$bench/$2.$1"
    chmod 600 "$bench/$2.$1"
}

# start PROGRAM NAME: one run; $bench/cost gets what it cost.
start() {
    case $1 in
    mailtwin)
        set -- "$1" "$2" ./mailtwin -q -c "$bench/$2.$1" \
            --state-dir "$bench/$2.state" sync
        ;;
    mbsync) set -- "$1" "$2" mbsync -q -c "$bench/$2.$1" main ;;
    interimap) set -- "$1" "$2" interimap -q --config="$bench/$2.$1" ;;
    esac
    _program=$1
    shift 2
    if ! timeout 1800 build/tools/measure "$bench/cost" "$@" \
        >"$bench/output" 2>&1 </dev/null; then
        say "$_program failed:"
        tail -n 5 "$bench/output" >&2
        echo "- - -" >"$bench/cost"
    fi
}

# --- figures -------------------------------------------------------------------

# note PROGRAM COLUMN VALUE
note() {
    echo "$3" >>"$bench/row.$1.$2"
}

# The median of what was noted.
median() {
    if [ -s "$bench/row.$1.$2" ]; then
        grep -v '^-' "$bench/row.$1.$2" | sort -n |
            awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'
    else
        echo -
    fi
}

spread() {
    grep -hv '^-' "$bench/row.$1.$2" | sort -n |
        awk 'NR == 1 { min = $1 } { max = $1 }
            END { if (NR) printf "%s..%s", min, max; else printf "-" }'
}

# measured PROGRAM NAME: run it, and note time, processor time and memory.
measured() {
    start "$1" "$2"
    # shellcheck disable=SC2046 # three words on purpose
    set -- "$1" $(cat "$bench/cost")
    note "$1" seconds "$2"
    note "$1" cpu "$3"
    note "$1" memory "$4"
}

# table TITLE PROGRAM ...: seconds of each, against the first one.
table() {
    printf '\n%s\n' "$1"
    shift
    printf '  %-22s %9s %9s %9s  %-17s %s\n' program seconds ratio \
        cpu "fastest..slowest" "peak MB"
    _first=$(median "$1" seconds)
    for _program in "$@"; do
        _peer=${_program%%-*}
        if [ "$_peer" != floor ] && [ "$_peer" != mailtwin ] &&
            ! has_peer "$_peer"; then
            printf '  %-22s %9s\n' "$_program" "(not installed)"
            continue
        fi
        printf '  %-22s %9s %9s %9s  %-17s %s\n' "$_program" \
            "$(median "$_program" seconds)" \
            "$(ratio "$(median "$_program" seconds)" "$_first")" \
            "$(median "$_program" cpu)" "$(spread "$_program" seconds)" \
            "$(ratio "$(median "$_program" memory)" 1024)"
    done
}

ratio() {
    awk -v a="$1" -v b="$2" \
        'BEGIN { if (a == "-" || b == "-" || b == 0) print "-";
                 else printf "%.2f\n", a / b }'
}

forget() {
    rm -f "$bench"/row.*
}

# --- rows ----------------------------------------------------------------------

row_1() {
    folders=$((1000 / scale))
    messages=$((100000 / scale))
    say "row 1: $folders folders, $messages messages ..."
    corpus idle "$folders" "$messages" 400
    relay far1 "$(cat "$bench/one/imaps_port")" -d 25
    relay far2 "$(cat "$bench/two/imaps_port")" -d 25
    left=idle@one:$(cat "$bench/far1.port")
    right=idle@two:$(cat "$bench/far2.port")
    configure mailtwin idle "$left" "$bench/idle.maildir"
    configure mailtwin idle2 "$left" "$right"
    configure mbsync idle3 "$left" "$bench/idle.mbsync"
    configure interimap idle4 "$left" "idle4@two:$(cat "$bench/far2.port")"
    start mailtwin idle
    start mailtwin idle2
    has_peer mbsync && start mbsync idle3
    has_peer interimap && start interimap idle4
    for _run in $(seq "$runs"); do
        measured mailtwin idle
        cp_notes mailtwin mailtwin-maildir
        measured mailtwin idle2
        cp_notes mailtwin mailtwin-imap
        if has_peer interimap; then
            measured interimap idle4
        fi
        # Two minutes and more: once is enough.
        if has_peer mbsync && [ "$_run" = 1 ]; then
            measured mbsync idle3
        fi
    done
    table "1. Nothing to do: $folders folders, $messages messages, 50 ms" \
        mailtwin-maildir mbsync mailtwin-imap interimap
}

# What was just measured goes under another name.
cp_notes() {
    for _column in seconds cpu memory; do
        cat "$bench/row.$1.$_column" >>"$bench/row.$2.$_column"
        rm "$bench/row.$1.$_column"
    done
}

row_2() {
    messages=$((200000 / scale))
    say "row 2: one folder of $messages messages ..."
    corpus wide 1 "$messages" 300
    relay wide "$(cat "$bench/one/imap_port")"
    left=wide@one:$(cat "$bench/wide.port"):plain
    configure mailtwin wide "$left" "$bench/wide.maildir"
    configure mbsync wide3 "$left" "$bench/wide.mbsync"
    for program in mailtwin mbsync; do
        has_peer "${program#./}" || [ $program = mailtwin ] || continue
        name=wide
        [ $program = mailtwin ] || name=wide3
        start $program $name
        for _run in $(seq "$runs"); do
            rm -f "$bench/wide.stats"
            measured $program $name
            # The relay notes a connection a moment after it ended.
            timeout 10 sh -c "until [ -s '$bench/wide.stats' ]; do
                sleep 0.02; done" || touch "$bench/wide.stats"
            note $program received \
                "$(awk '{ n += $2 } END { print n + 0 }' "$bench/wide.stats")"
            note $program sent \
                "$(awk '{ n += $1 } END { print n + 0 }' "$bench/wide.stats")"
        done
    done
    table "2. Nothing to do: one folder of $messages messages" mailtwin mbsync
    printf '  %-22s %14s %14s\n' "" "bytes received" "bytes sent"
    for program in mailtwin mbsync; do
        printf '  %-22s %14s %14s\n' $program \
            "$(median $program received)" "$(median $program sent)"
    done
}

# Nothing is removed between the runs: ext4 is slow to create files where many
# were deleted a moment ago.
row_3() {
    messages=$((10000 / scale))
    say "row 3: $messages messages into a Maildir ..."
    corpus pull 20 "$messages" 13200
    left=pull@one:$(cat "$bench/one/imaps_port")
    for _run in $(seq "$runs"); do
        note floor seconds "$(python3 tests/bench/floor.py fetch \
            "$(cat "$bench/one/imaps_port")" pull)"
        configure mailtwin "pull$_run" "$left" "$bench/pull$_run.maildir"
        measured mailtwin "pull$_run"
        if has_peer mbsync; then
            configure mbsync "pullm$_run" "$left" "$bench/pull$_run.mbsync"
            measured mbsync "pullm$_run"
        fi
    done
    table "3. First pull into a Maildir: $messages messages in 20 folders" \
        floor mailtwin mbsync
}

row_4() {
    messages=$((10000 / scale))
    say "row 4: $messages messages from server to server ..."
    [ -d "$(dovecot_home "$bench/one" pull)" ] ||
        corpus pull 20 "$messages" 13200
    port=$(cat "$bench/two/imaps_port")
    left=pull@one:$(cat "$bench/one/imaps_port")
    for _run in $(seq "$runs"); do
        _fetch=$(python3 tests/bench/floor.py fetch \
            "$(cat "$bench/one/imaps_port")" pull)
        _append=$(python3 tests/bench/floor.py append "$port" "floor$_run" \
            "$(dovecot_home "$bench/one" pull)")
        note floor seconds "$(printf '%s\n%s\n' "$_fetch" "$_append" |
            sort -n | tail -n 1)"
        configure mailtwin "push$_run" "$left" "twin$_run@two:$port"
        measured mailtwin "push$_run"
        if has_peer interimap; then
            configure interimap "pushi$_run" "$left" "inter$_run@two:$port"
            measured interimap "pushi$_run"
        fi
        if has_peer mbsync; then
            configure mbsync "pushm$_run" "$left" "mb$_run@two:$port"
            measured mbsync "pushm$_run"
        fi
    done
    table "4. From server to server: $messages messages in 20 folders" \
        floor mailtwin interimap mbsync
}

for peer in mbsync interimap; do
    has_peer $peer || say "$peer is not installed and is left out"
done
dovecot_start "$bench/one" list_index=yes || exit
dovecot_start "$bench/two" list_index=yes "storage=${STORAGE:-mdbox}" || exit
echo "mailtwin $(./mailtwin --version 2>/dev/null | grep -o '[0-9.]*' |
    head -n 1), $(nproc) processors, Linux $(uname -r), Dovecot" \
    "$(dovecot --version | cut -d ' ' -f 1), median of $runs"
for row in $rows; do
    forget
    "row_$row"
done
