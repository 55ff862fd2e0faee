#!/bin/sh
# Goal of this test: what stands in the way of a login ends with its own code
# and in the server's words; a password may come from three places.
. tests/lib/twin.sh

server one
port=$(cat "$T/one/imaps_port")

# login CODE NAME LINE ...: a run with these lines in the account.
login() {
    _want=$1 _what=$2
    shift 2
    {
        printf '[account left]\ntype = imap\nhost = localhost\n'
        printf 'tls_ca_file = %s\nuser = ann\n' "$T/one/ca.pem"
        printf '%s\n' "$@"
    } >"$T/conf"
    account_maildir disk
    pair main left disk
    runs "$_want" "$_what" sync main
}

login 0 "password" "port = $port" "password = secret"
login 0 "auth = login" "port = $port" "password = secret" "auth = login"
login 0 "auth = plain" "port = $port" "password = secret" "auth = plain"
printf 'secret\nsecond line\n' >"$T/password"
chmod 600 "$T/password"
login 0 "password_file" "port = $port" "password_file = $T/password"
login 0 "password_command" "port = $port" \
    "password_command = printf 'sec%s\nmore\n' ret"
login 5 "a wrong password" "port = $port" "password = wrong"
has "the server's words" "$T/err" 'Authentication failed'
hasnt "the password is not shown" "$T/err" 'wrong'
login 5 "a wrong password with auth = login" "port = $port" \
    "password = wrong" "auth = login"
login 5 "a password with every special letter" "port = $port" \
    'password = w"r\o {5} %s$(id)'
login 5 "a password command that fails" "port = $port" \
    "password_command = echo oops >&2; exit 3"
has "it is named" "$T/err" 'oops|exit|status|3'
login 4 "nobody listens" "port = 1" "password = secret"
has "it is said" "$T/err" 'refused'
done_testing
