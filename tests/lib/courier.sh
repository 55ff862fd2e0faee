# A private Courier IMAP 5 for tests, in the manner of tests/lib/dovecot.sh: its
# own directory, a free loopback port, no TLS. tests/lib/courier.py takes the
# connections and the logins, and lets imapd do the rest. Sourced by sh.
#
#   courier_lack                      print why it cannot run here, or nothing
#   courier_start DIR [NAME=VALUE ...]  with these settings of /etc/courier/imapd
#   courier_stop DIR
#   courier_account DIR NAME USER
#   courier_login USER                print the name that USER logs in with

courier_lack() {
    servers_lack usr/bin/imapd
}

courier_start() {
    _dir=$1
    shift
    mkdir -p "$_dir/home" && chmod 711 "$_dir" || return
    if [ "$(id -u)" = 0 ]; then
        chown nobody "$_dir/home" || return
    fi
    cc -shared -fPIC -O2 -o "$_dir/libfam.so.0" "${TESTS:-tests}/lib/fam.c" ||
        return
    env "$@" python3 "${TESTS:-tests}/lib/courier.py" "$_dir" \
        "$(servers_find)/usr/bin/imapd" "$_dir:$(servers_libraries)" \
        </dev/null >"$_dir/log" 2>&1 &
    echo $! >"$_dir/pid"
    if ! wait_for 10 test -s "$_dir/imap_port"; then
        echo "courier.sh: Courier does not start:" >&2
        cat "$_dir/log" >&2
        return 1
    fi
}

courier_stop() {
    _pid=$(cat "$1/pid" 2>/dev/null) || return 0
    kill "$_pid" 2>/dev/null || return 0
    timeout 20 tail --pid="$_pid" -s 0.02 -f /dev/null
}

courier_account() {
    servers_plain "$(cat "$1/imap_port")" "$2" "$3"
}

courier_login() {
    echo "$1"
}
