# A private imap4d of GNU mailutils 3.15 for tests, in the manner of
# tests/lib/dovecot.sh: its own directory, a free loopback port, no TLS. The
# users are those that have an account; their mail is in Maildirs. Sourced by sh.
#
#   mailutils_lack                    print why it cannot run here, or nothing
#   mailutils_start DIR
#   mailutils_stop DIR
#   mailutils_account DIR NAME USER
#   mailutils_login USER              print the name that USER logs in with

mailutils_lack() {
    servers_lack usr/sbin/imap4d
}

# Users of a virtual domain need none of the system's, and log in with its name.
mailutils_login() {
    echo "$1@test"
}

mailutils_write_conf() {
    cat >"$1/conf" <<CONF
mode daemon;
foreground yes;
pidfile $1/home/pid;
max-children 100;
timeout 600;
create-home-dir yes;
home-dir-mode 700;
auth {
  authentication clear;
  authentication generic;
  authorization clear;
  authorization virtdomain;
}
virtdomain {
  passwd-dir $1/passwd;
}
mailbox {
  mailbox-type maildir;
  mailbox-pattern "maildir:$1/home/\${user}/INBOX";
}
namespace personal {
  prefix "" {
    directory "\${home}/mail";
    mailbox-type maildir;
    delimiter "/";
  };
}
logging {
  syslog no;
}
tcp-wrappers {
  enable no;
}
server 127.0.0.1:$2 {
  single-process no;
}
CONF
}

mailutils_start() {
    _dir=$1
    mkdir -p "$_dir/home" "$_dir/passwd" && chmod 711 "$_dir" || return
    _as=
    if [ "$(id -u)" = 0 ]; then
        chown nobody "$_dir/home" || return
        _as="setpriv --reuid nobody --regid $(id -g nobody) --clear-groups"
    fi
    mailutils_user "$_dir" nobody
    for _try in 1 2 3 4 5 6 7 8 9 10; do
        # shellcheck disable=SC2046 # two words on purpose
        set -- "$_dir" $(dovecot_ports)
        mailutils_write_conf "$1" "$2"
        mailutils_run "$1"
        wait_for 10 grep -Eq 'started|bind|in use' "$1/log"
        if ! grep -Eq 'bind|in use' "$1/log"; then
            echo "$2" >"$1/imap_port"
            python3 "${TESTS:-tests}/lib/mail.py" wait "imap:$2:nobody@test"
            return
        fi
        mailutils_stop "$1"
    done
    echo "mailutils.sh: imap4d does not start:" >&2
    cat "$_dir/log" >&2
    return 1
}

mailutils_run() {
    : >"$1/log"
    LD_LIBRARY_PATH=$(servers_libraries) $_as "$(servers_find)/usr/sbin/imap4d" \
        --config-file="$1/conf" </dev/null >"$1/log" 2>&1 &
    echo $! >"$1/pid"
}

mailutils_stop() {
    _pid=$(cat "$1/pid" 2>/dev/null) || return 0
    kill "$_pid" 2>/dev/null || return 0
    timeout 20 tail --pid="$_pid" -s 0.02 -f /dev/null
}

# A new user in DIR.
mailutils_user() {
    _uid=$(id -u)
    [ "$_uid" != 0 ] || _uid=$(id -u nobody)
    if ! grep -qs "^$2:" "$1/passwd/test"; then
        echo "$2:$(openssl passwd -6 secret):$_uid:$_uid::$1/home/$2:/bin/sh" \
            >>"$1/passwd/test"
    fi
}

mailutils_account() {
    mailutils_user "$1" "$3"
    # It offers SCRAM, which the users of a virtual domain cannot use.
    servers_plain "$(cat "$1/imap_port")" "$2" "$3@test" 'auth = login'
}
