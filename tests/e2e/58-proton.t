#!/bin/sh
# Goal of this test: both ways with a server as Proton Bridge: a certificate of
# its own, MIME that is rebuilt, sizes that are off, equal messages merged.
. tests/lib/twin.sh
. tests/lib/provider.sh
apart='^(All Mail|Starred)	'

# Its certificate is its own: known by its fingerprint, or not at all.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -keyout "$T/bridge.key" -out "$T/bridge.pem" 2>/dev/null
cat "$T/bridge.key" >>"$T/bridge.pem"
pin=$(openssl x509 -in "$T/bridge.pem" -noout -fingerprint -sha256)
provider far proton "certificate=$T/bridge.pem"
account_provider far far "tls_fingerprint = sha256:${pin#*=}"
account_provider stranger far "tls_fingerprint = sha256:$(printf '%064d' 0)"
account_provider nobody far 'tls = implicit'
account_maildir disk
pair main far disk
bytes=rebuilt keyword='$Forwarded'
there_and_back
for _account in stranger nobody; do
    runs 4 "without its fingerprint: $_account" probe $_account
    has "that is said: $_account" "$T/err" 'certificate'
done

# What is copied to a folder with an equal message, and to a label.
mail new far Labels/Blue blue
mail copy far INBOX far-8 Labels/Blue
runs 0 "mail with a label" sync main
agree "the label is a folder" far disk
done_testing
