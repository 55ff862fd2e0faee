# A private Cyrus 3.6 for tests, in the manner of tests/lib/dovecot.sh: its own
# directory, free loopback ports, TLS, any user with any password. Sourced by sh.
#
#   cyrus_lack                        print why it cannot run here, or nothing
#   cyrus_start DIR [key=value ...]
#       extra=TEXT                      more lines of imapd.conf
#   cyrus_stop DIR
#   cyrus_account DIR NAME USER
#   cyrus_login USER                  print the name that USER logs in with
#
# Cyrus gives up root for another user by itself.

cyrus_lack() {
    servers_lack usr/lib/cyrus/bin/imapd
}

cyrus_write_conf() {
    _user=nobody
    [ "$(id -u)" = 0 ] || _user=$(id -un)
    cat >"$1/imapd.conf" <<CONF
configdirectory: $1/conf
proc_path: $1/conf/proc
mboxname_lockpath: $1/conf/lock
defaultpartition: default
partition-default: $1/home
master_pid_file: $1/pid
cyrus_user: $_user
cyrus_group: $(id -gn "$_user")
allowplaintext: yes
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
autocreate_quota: 0
autocreate_users: anyone
tls_server_cert: $1/server.pem
tls_server_key: $1/server.key
skiplist_unsafe: yes
$_extra
CONF
    cat >"$1/cyrus.conf" <<CONF
START {
  recover cmd="$_bin/ctl_cyrusdb -C $1/imapd.conf -r"
}
SERVICES {
  imap cmd="$_bin/imapd -C $1/imapd.conf" listen="127.0.0.1:$2" maxchild=100
  imaps cmd="$_bin/imapd -C $1/imapd.conf -s" listen="127.0.0.1:$3" maxchild=100
}
EVENTS {
}
CONF
}

cyrus_start() {
    _dir=$1
    shift
    _extra=
    for _arg in "$@"; do
        case $_arg in
        extra=*) _extra=${_arg#*=} ;;
        *) echo "cyrus.sh: unknown: $_arg" >&2 && return 2 ;;
        esac
    done
    _bin=$(servers_find)/usr/lib/cyrus/bin || return
    mkdir -p "$_dir/home" "$_dir/conf/proc" "$_dir/conf/lock" \
        "$_dir/conf/socket" && chmod 711 "$_dir" || return
    dovecot_certificate "$_dir" "" || return
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody "$_dir" || return
    fi
    cyrus_launch "$_dir"
}

# Who listens at a port is looked up: Cyrus says to syslog alone that it could
# not have it.
cyrus_launch() {
    for _try in 1 2 3 4 5 6 7 8 9 10; do
        # shellcheck disable=SC2046 # two words on purpose
        set -- "$1" $(dovecot_ports)
        cyrus_write_conf "$1" "$2" "$3"
        cyrus_run "$1"
        if wait_for 10 cyrus_listens "$1" "$2" &&
            wait_for 1 cyrus_listens "$1" "$3"; then
            echo "$2" >"$1/imap_port"
            echo "$3" >"$1/imaps_port"
            python3 "${TESTS:-tests}/lib/mail.py" wait "imap:$2:nobody"
            return
        fi
        kill -0 "$(cat "$1/master")" || break
        cyrus_stop "$1"
    done
    echo "cyrus.sh: Cyrus does not start:" >&2
    cat "$1/log" >&2
    return 1
}

# A session of its own: when it ends, the master signals its whole group.
cyrus_run() {
    LD_LIBRARY_PATH=$(servers_libraries) setsid "$_bin/master" \
        -C "$1/imapd.conf" -M "$1/cyrus.conf" -p "$1/pid" \
        </dev/null >>"$1/log" 2>&1 &
    echo $! >"$1/master"
}

# Does DIR's Cyrus listen at PORT of 127.0.0.1?
cyrus_listens() {
    _inode=$(awk -v address="0100007F:$(printf %04X "$2")" \
        '$2 == address && $4 == "0A" { print $10 }' /proc/net/tcp)
    [ -n "$_inode" ] && find "/proc/$(cat "$1/master")/fd" \
        -lname "socket:\[$_inode\]" | grep -q .
}

cyrus_stop() {
    _pid=$(cat "$1/master" 2>/dev/null) || return 0
    kill "$_pid" 2>/dev/null || return 0
    timeout 20 tail --pid="$_pid" -s 0.02 -f /dev/null
}

cyrus_account() {
    dovecot_account "$@"
}

cyrus_login() {
    echo "$1"
}
