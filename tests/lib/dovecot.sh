# A private Dovecot 2.3 for tests, the demo and the benchmark: its own
# directory, free loopback ports, TLS with a CA made on the spot. Sourced by sh.
# Works as an ordinary user and as root; nothing outside DIR is touched.
#
#   dovecot_start DIR [key=value ...]   start; any user may log in with the
#                                       password "secret"
#       tier=resync|condstore|plain|bare   what the server says it can do
#       lack=WORDS                         ... but for these
#       storage=maildir|maildir++|sdbox|mdbox  how it keeps mail (maildir)
#       separator=/                        between folder levels
#       prefix=INBOX.                      of all folders (none)
#       certificate=SAN                    for which names (localhost)
#       homes=user|password                whose home is whose (user). password:
#                                          any password will do, and a user's
#                                          mail lies in DIR/home/PASSWORD
#       list_index=no|yes                  its index of folders (no): LIST from
#                                          it may miss a folder just made
#       compress=no|yes                    COMPRESS=DEFLATE (no)
#       extra=TEXT                         more lines of configuration
#   dovecot_stop DIR                    stop, and wait until it is gone
#   dovecot_account DIR NAME USER       print an [account NAME] section
#   dovecot_login USER                  print the name that USER logs in with
#   dovecot_lack                        print why it cannot run here, or nothing
#   dovecot_home DIR USER               print where that user's mail lies
#
# DIR must not exist and should be short: a socket's path has 107 bytes at most.
# Afterwards DIR/imap_port and DIR/imaps_port hold the ports, DIR/ca.pem the CA,
# DIR/conf the configuration, DIR/log the server's log.

# An ordinary user's path may lack the place of servers.
PATH=$PATH:/usr/sbin:/sbin

# The capabilities of each tier, a subset of Dovecot's own.
dovecot_capability() {
    _base="IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE UNSELECT CHILDREN"
    _modern="LITERAL+ UIDPLUS MULTIAPPEND MOVE ESEARCH LIST-EXTENDED"
    _modern="$_modern LIST-STATUS STATUS=SIZE SPECIAL-USE BINARY"
    case $1 in
    resync) echo "$_base $_modern CONDSTORE QRESYNC" ;;
    condstore) echo "$_base $_modern CONDSTORE" ;;
    plain) echo "$_base $_modern" ;;
    bare) echo "IMAP4rev1 IDLE" ;;
    *) echo "dovecot.sh: no such tier: $1" >&2 && return 2 ;;
    esac
}

# Those of the first list of words that are not in the second one.
dovecot_without() {
    for _word in $1; do
        case " $2 " in
        *" $_word "*) ;;
        *) printf '%s ' "$_word" ;;
        esac
    done
}

# A CA and a certificate of localhost, in $1.
dovecot_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 2 -subj "/CN=throw-away test CA" \
        -keyout "$1/ca.key" -out "$1/ca.pem" 2>"$1/openssl.log" &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -days 2 -subj "/CN=localhost" -CA "$1/ca.pem" -CAkey "$1/ca.key" \
            -addext "basicConstraints=critical,CA:FALSE" \
            -addext "subjectAltName=${2:-DNS:localhost,IP:127.0.0.1,IP:::1}" \
            -keyout "$1/server.key" -out "$1/server.pem" 2>>"$1/openssl.log"
}

# Two different numbers from 20000 to 31999, below what the kernel hands out
# itself.
dovecot_ports() {
    od -An -N4 -tu2 /dev/urandom | {
        read -r _a _b
        echo $((20000 + _a % 12000)) \
            $((20000 + (_a + 1 + _b % 11999) % 12000))
    }
}

dovecot_write_conf() {
    if [ "$(id -u)" = 0 ]; then
        _user=nobody
    else
        _user=$(id -un)
    fi
    _group=$(id -gn "$_user")
    cat >"$1/conf" <<CONF
base_dir = $1/run
state_dir = $1/run
log_path = $1/log
protocols = imap
listen = 127.0.0.1
import_environment = TZ CORE_OUTOFMEM CORE_ERROR
default_internal_user = $_user
default_internal_group = $_group
default_login_user = $_user
first_valid_uid = 1
first_valid_gid = 1
default_process_limit = 400
default_client_limit = 4000
default_vsz_limit = 0
login_trusted_networks =
auth_mechanisms = plain login
disable_plaintext_auth = no
ssl = yes
ssl_cert = <$1/server.pem
ssl_key = <$1/server.key
passdb {
  driver = static
  args = $(dovecot_passdb "$1")
}
userdb {
  driver = prefetch
}
userdb {
  driver = static
  args = uid=$_user gid=$_group home=$1/home/%u
}
mail_location = $_location
mailbox_list_index = $_list_index
namespace inbox {
  inbox = yes
  separator = $_separator
  prefix = $_prefix
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Trash {
    special_use = \\Trash
  }
}
imap_capability = $_capability$_compress
imap_logout_format =
protocol imap {
  mail_max_userip_connections = 200
  ${_compress:+mail_plugins = imap_zlib}
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap {
  process_limit = 400
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  client_limit = 1000
  inet_listener imap {
    port = $2
  }
  inet_listener imaps {
    port = $3
    ssl = yes
  }
}
$_extra
CONF
}

# The arguments of the passdb. The userdb_ ones are for the prefetch userdb.
dovecot_passdb() {
    case $_homes in
    user) echo password=secret ;;
    password)
        echo "nopassword=y userdb_uid=$_user userdb_gid=$_group" \
            "userdb_home=$1/home/%w"
        ;;
    esac
}

dovecot_location() {
    case $1 in
    maildir) echo "maildir:~/mail:LAYOUT=fs" ;;
    maildir++) echo "maildir:~/mail" ;;
    sdbox | mdbox) echo "$1:~/mail" ;;
    *) echo "dovecot.sh: no such storage: $1" >&2 && return 2 ;;
    esac
}

dovecot_start() {
    _dir=$1
    shift
    _tier=resync _storage=maildir _separator=/ _prefix= _extra= _list_index=no
    _names= _homes=user _lack= _compress=
    for _arg in "$@"; do
        case $_arg in
        tier=*) _tier=${_arg#*=} ;;
        lack=*) _lack=${_arg#*=} ;;
        storage=*) _storage=${_arg#*=} ;;
        separator=*) _separator=${_arg#*=} ;;
        prefix=*) _prefix=${_arg#*=} ;;
        certificate=*) _names=${_arg#*=} ;;
        homes=*) _homes=${_arg#*=} ;;
        list_index=*) _list_index=${_arg#*=} ;;
        compress=no) ;;
        compress=yes) _compress=" COMPRESS=DEFLATE" ;;
        extra=*) _extra=${_arg#*=} ;;
        *) echo "dovecot.sh: unknown: $_arg" >&2 && return 2 ;;
        esac
    done
    _capability=$(dovecot_capability "$_tier") || return
    _capability=$(dovecot_without "$_capability" "$_lack")
    _location=$(dovecot_location "$_storage") || return
    # Mail is another user's where the tests run as root.
    mkdir -p "$_dir/run" "$_dir/home" && chmod 711 "$_dir" || return
    if [ "$(id -u)" = 0 ]; then
        chown nobody "$_dir/home" || return
    fi
    dovecot_certificate "$_dir" "$_names" || return
    dovecot_launch "$_dir"
}

# Taking the port is the only honest test of a free one: try until it works.
dovecot_launch() {
    for _try in 1 2 3 4 5 6 7 8 9 10; do
        # shellcheck disable=SC2046 # two words on purpose
        set -- "$1" $(dovecot_ports)
        dovecot_write_conf "$1" "$2" "$3"
        if dovecot_run "$1"; then
            echo "$2" >"$1/imap_port"
            echo "$3" >"$1/imaps_port"
            python3 "${TESTS:-tests}/lib/mail.py" wait "imap:$2:nobody"
            return
        fi
        grep -q 'Address already in use' "$1/start" || break
    done
    echo "dovecot.sh: Dovecot does not start:" >&2
    cat "$1/start" >&2
    return 1
}

dovecot_run() {
    # It says "ulimit" warnings to standard error, and why it does not start.
    dovecot -c "$1/conf" >"$1/start" 2>&1
}

dovecot_stop() {
    _pid=$(cat "$1/run/master.pid" 2>/dev/null) || return 0
    kill "$_pid" 2>/dev/null || return 0
    timeout 20 tail --pid="$_pid" -s 0.02 -f /dev/null
}

dovecot_account() {
    cat <<CONF
[account $2]
type = imap
host = localhost
port = $(cat "$1/imaps_port")
tls_ca_file = $1/ca.pem
user = $3
password = secret

CONF
}

dovecot_login() {
    echo "$1"
}

dovecot_lack() {
    command -v dovecot >/dev/null || echo "it is not installed"
}

dovecot_home() {
    echo "$1/home/$2/mail"
}
