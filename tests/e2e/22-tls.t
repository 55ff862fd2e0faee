#!/bin/sh
# Goal of this test: nothing is said to a server that is not the one it should
# be, and no password goes out in the clear unless that was asked for.
. tests/lib/twin.sh

server one
server misnamed certificate=DNS:other.example.org
# Dovecot believes what comes from its own address to be safe.
server strict certificate=IP:127.0.0.2 extra='listen = 127.0.0.1, 127.0.0.2
disable_plaintext_auth = yes'
secure=$(cat "$T/one/imaps_port")
plain=$(cat "$T/one/imap_port")
pin=$(openssl x509 -in "$T/one/server.pem" -noout -fingerprint -sha256 |
    sed 's/.*=//')

# tls CODE NAME LINE ...: a run with these lines in the account.
tls() {
    _want=$1 _what=$2
    shift 2
    rm -rf "$T/state" "$T/disk"
    {
        printf '[account left]\ntype = imap\nuser = ann\npassword = secret\n'
        printf '%s\n' "$@"
    } >"$T/conf"
    account_maildir disk
    pair main left disk
    runs "$_want" "$_what" sync main
}

tls 4 "an unknown CA is refused" "host = localhost" "port = $secure"
has "it says why" "$T/err" '[Cc]ertificate|CA'
tls 0 "the CA of tls_ca_file is accepted" "host = localhost" \
    "port = $secure" "tls_ca_file = $T/one/ca.pem"
tls 0 "an address in the certificate too" "host = 127.0.0.1" \
    "port = $secure" "tls_ca_file = $T/one/ca.pem"
tls 4 "a certificate of another name is refused" "host = localhost" \
    "port = $(cat "$T/misnamed/imaps_port")" \
    "tls_ca_file = $T/misnamed/ca.pem"
has "it says why" "$T/err" '[Nn]ame|match'
tls 4 "and so is another CA" "host = localhost" "port = $secure" \
    "tls_ca_file = $T/misnamed/ca.pem"
tls 0 "a pin needs no CA" "host = localhost" "port = $secure" \
    "tls_fingerprint = sha256:$pin"
lower=$(echo "$pin" | tr 'A-F' 'a-f' | tr -d :)
tls 0 "nor colons" "host = localhost" "port = $secure" \
    "tls_fingerprint = sha256:$lower"
tls 4 "another pin is refused" "host = localhost" "port = $secure" \
    "tls_fingerprint = sha256:$(echo "$lower" | tr '0-9a-f' '1-9a-f0')"
tls 0 "STARTTLS" "host = localhost" "port = $plain" "tls = starttls" \
    "tls_ca_file = $T/one/ca.pem"
tls 4 "STARTTLS with an unknown CA" "host = localhost" "port = $plain" \
    "tls = starttls"
tls 0 "STARTTLS where LOGIN needs it" "host = 127.0.0.2" \
    "port = $(cat "$T/strict/imap_port")" "tls = starttls" \
    "tls_ca_file = $T/strict/ca.pem"
tls 2 "no TLS without allow_plaintext" "host = localhost" "port = $plain" \
    "tls = none"
has "the line is named" "$T/err" 'conf:[0-9]+'
tls 0 "no TLS with it" "host = localhost" "port = $plain" "tls = none" \
    "allow_plaintext = yes"
tls 4 "plain text to a TLS port" "host = localhost" "port = $secure" \
    "tls = starttls" "tls_ca_file = $T/one/ca.pem"
tls 4 "TLS to a plain port" "host = localhost" "port = $plain" \
    "tls_ca_file = $T/one/ca.pem"
tls 4 "a server without LOGIN in the clear" "host = 127.0.0.2" \
    "port = $(cat "$T/strict/imap_port")" "tls = none" "allow_plaintext = yes"
hasnt "no password ever shows" "$T/err" 'secret'
done_testing
