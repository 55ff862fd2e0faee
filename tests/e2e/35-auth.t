#!/bin/sh
# Goal of this test: every way to log in works with a server that knows it; the
# strongest is chosen, nothing weaker follows a refusal, a refused token is
# asked for once more, and no secret is shown.
. tests/lib/twin.sh

# Tokens are JWTs, which the server checks by itself with the same key. It is
# told not to make those wait who failed before.
mkdir -p "$T/jwt/default/HS256"
key=$(openssl rand -hex 32)
printf %s "$key" | openssl base64 -A >"$T/jwt/default/HS256/default"
cat >"$T/oauth2" <<CONF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$T/jwt/
username_attribute = sub
CONF
echo "admin:{PLAIN}master-key" >"$T/masters"
chmod 644 "$T/masters"
server one extra="auth_mechanisms = plain login scram-sha-1 scram-sha-256 \
xoauth2 oauthbearer external cram-md5
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $T/oauth2
}
auth_master_user_separator = *
passdb {
  driver = passwd-file
  master = yes
  args = scheme=PLAIN username_format=%u $T/masters
}
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y
}
ssl_ca = <$T/one/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_username_from_cert = yes"
server old extra="auth_mechanisms = plain scram-sha-1"

base64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d =
}

# token SECONDS: of ann, good for that long; negative: no more.
token() {
    _now=$(date +%s)
    _body=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url).$(
        printf '{"sub":"ann","iat":%d,"exp":%d}' $((_now - 1000)) \
            $((_now + $1)) | base64url
    )
    printf '%s.%s\n' "$_body" "$(printf %s "$_body" |
        openssl dgst -sha256 -hmac "$key" -binary | base64url)"
}

# A certificate of the user $1, in $T/$1.pem and $T/$1.key.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 2 -subj "/CN=$1" -CA "$T/one/ca.pem" -CAkey "$T/one/ca.key" \
        -addext "basicConstraints=critical,CA:FALSE" \
        -keyout "$T/$1.key" -out "$T/$1.pem" 2>"$T/openssl.log"
}

# login CODE NAME SERVER LINE ...: a run with these lines in the account.
login() {
    _want=$1 _what=$2 _server=$3
    shift 3
    case $* in
    *starttls*) _port=imap_port ;;
    *) _port=imaps_port ;;
    esac
    {
        printf '[account left]\ntype = imap\nhost = localhost\n'
        case $* in
        "user = "* | *" user = "*) ;;
        *) echo 'user = ann' ;;
        esac
        printf 'tls_ca_file = %s\n' "$T/$_server/ca.pem"
        printf 'port = %s\n' "$(cat "$T/$_server/$_port")"
        printf '%s\n' "$@"
    } >"$T/conf"
    account_maildir disk
    pair main left disk
    : >"$T/calls"
    runs "$_want" "$_what" -vv sync main
    grep -o 'C: [^ ]* \(AUTHENTICATE [^ ]*\|LOGIN\)' "$T/err" |
        sed 's/^C: [^ ]* //' | sort | uniq -c | sed 's/^ *//' >"$T/ways"
    cat "$T/out" "$T/err" >>"$T/all"
}

# by NAME WAY: all connections of the last run logged in, or tried, by it.
by() {
    is "$1: by $2" "$(sed 's/^[0-9]* //' "$T/ways")" "$2"
}

# Work for several connections.
store_ann=imap:$(cat "$T/one/imap_port"):ann
mail seed ann 40

login 0 "a password" one "password = secret"
by "a password" "AUTHENTICATE SCRAM-SHA-256"
login 0 "auth = scram-sha-256 and STARTTLS" one "password = secret" \
    "auth = scram-sha-256" "tls = starttls"
by "auth = scram-sha-256" "AUTHENTICATE SCRAM-SHA-256"
login 5 "a wrong password" one "password = wrong"
is "a wrong password is tried once, in one way" "$(cat "$T/ways")" \
    "1 AUTHENTICATE SCRAM-SHA-256"
has "the server's words" "$T/err" 'Authentication failed'
login 0 "auth = plain" one "password = secret" "auth = plain"
by "auth = plain" "AUTHENTICATE PLAIN"
login 0 "auth = login" one "password = secret" "auth = login"
by "auth = login" "LOGIN"
login 0 "auth = scram-sha-1" one "password = secret" "auth = scram-sha-1"
by "auth = scram-sha-1" "AUTHENTICATE SCRAM-SHA-1"
login 0 "auth = cram-md5" one "password = secret" "auth = cram-md5"
by "auth = cram-md5" "AUTHENTICATE CRAM-MD5"
login 5 "auth = cram-md5, a wrong password" one "password = wrong" \
    "auth = cram-md5"
has "the server's words" "$T/err" 'Authentication failed'
login 5 "auth = scram-sha-256-plus, which the server does not know" one \
    "password = secret" "auth = scram-sha-256-plus"
has "it is named" "$T/err" 'offers no AUTH=SCRAM-SHA-256-PLUS'

# An administrator acts for ann: what comes is her mail.
for way in plain scram-sha-256 scram-sha-1; do
    rm -rf "$T/disk" "$T/state"
    login 0 "$way: an administrator" one "user = admin" "authzid = ann" \
        "password = master-key" "auth = $way"
    is "$way: gets her mail" "$(count disk)" 40
    login 5 "$way: an administrator with a wrong password" one "user = admin" \
        "authzid = ann" "password = secret" "auth = $way"
    has "$way: the server's words" "$T/err" 'Auth[a-z]* failed'
done
login 0 "auto: an administrator" one "user = admin" "authzid = ann" \
    "password = master-key"
by "auto: an administrator" "AUTHENTICATE SCRAM-SHA-256"
login 0 "ann herself" one "password = secret"
hasnt "it is the same mail" "$T/err" 'other accounts'
login 0 "an administrator for another user" one "user = admin" "authzid = bob" \
    "password = master-key"
has "it is not the same mail" "$T/err" 'belongs to other accounts'
login 5 "ann is no administrator" one "authzid = bob" "password = secret"

login 0 "an older server" old "password = secret"
by "an older server" "AUTHENTICATE SCRAM-SHA-1"
login 5 "what the server does not know" old "password = secret" \
    "auth = scram-sha-256"
has "it is named" "$T/err" 'offers no AUTH=SCRAM-SHA-256'

token 600 >"$T/good"
token -600 >"$T/expired"
# A helper that counts how often it is called.
command="echo x >>$T/calls; cat"
calls() {
    wc -l <"$T/calls"
}
login 0 "a token" one "token_command = $command $T/good"
by "a token" "AUTHENTICATE OAUTHBEARER"
is "its command runs once" "$(calls)" 1
login 0 "auth = xoauth2" one "token_command = $command $T/good" \
    "auth = xoauth2"
by "auth = xoauth2" "AUTHENTICATE XOAUTH2"
login 0 "a token before a password" one "token_command = $command $T/good" \
    "password = wrong"
by "a token before a password" "AUTHENTICATE OAUTHBEARER"
login 5 "a token that has expired" one "token_command = $command $T/expired"
has "the server's words" "$T/err" 'Authentication failed'
is "its command runs twice" "$(calls)" 2
is "two tokens are tried, in one way" "$(cat "$T/ways")" \
    "2 AUTHENTICATE OAUTHBEARER"
for way in oauthbearer xoauth2; do
    rm -f "$T/renewed"
    login 0 "$way: a token that has expired, and a new one" one \
        "token_command = $command $T/renewed 2>&- || { cp $T/good $T/renewed; \
cat $T/expired; }" "auth = $way"
    is "$way: its command runs twice" "$(calls)" 2
done
login 5 "no other token" one "token_command = test ! -s $T/calls || exit 7; \
$command $T/expired"
has "the command is named" "$T/err" 'token_command: failed with exit status 7'
login 5 "a command without a token" one "token_command = true"
has "it is said" "$T/err" 'token_command: the first line is empty'
login 5 "a token for a server that knows none" old \
    "token_command = $command $T/good"
has "that is said" "$T/err" 'offers no login with a token'

certificate ann
certificate bob
rm -rf "$T/disk" "$T/state"
login 0 "a certificate" one "auth = external" \
    "tls_certificate = $T/ann.pem" "tls_key = $T/ann.key"
by "a certificate" "AUTHENTICATE EXTERNAL"
has "on several connections" "$T/ways" "^[2-9] AUTHENTICATE EXTERNAL"
login 5 "a certificate of another user" one "auth = external" \
    "tls_certificate = $T/bob.pem" "tls_key = $T/bob.key"
login 4 "a key of another certificate" one "auth = external" \
    "tls_certificate = $T/ann.pem" "tls_key = $T/bob.key"
has "the file is named" "$T/err" 'tls_key .*/bob.key: '
login 4 "no certificate at all" one "auth = external" \
    "tls_certificate = $T/nobody.pem" "tls_key = $T/nobody.key"
has "the file is named" "$T/err" 'tls_certificate .*: No such file'
openssl ec -in "$T/ann.key" -aes128 -passout pass:x -out "$T/locked.key" \
    2>"$T/openssl.log"
login 4 "a key with a pass phrase" one "auth = external" \
    "tls_certificate = $T/ann.pem" "tls_key = $T/locked.key"
has "the file is named" "$T/err" 'tls_key .*/locked.key: '

hasnt "no token is shown" "$T/all" "$(cut -d. -f2 "$T/good")"
hasnt "nor one that has expired" "$T/all" "$(cut -d. -f2 "$T/expired")"
hasnt "no administrator's is shown" "$T/all" 'master-key'
hasnt "no password is shown" "$T/all" '[^ _/]secret[^>]|AGFubgBzZWNyZXQ='
has "but the protocol is" "$T/all" 'AUTHENTICATE OAUTHBEARER <secret>'
done_testing
