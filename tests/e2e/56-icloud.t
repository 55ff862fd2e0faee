#!/bin/sh
# Goal of this test: both ways with a server as iCloud's: a proxy that writes
# into the stream, and a QRESYNC that names what is still there.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far icloud
account_provider far far
account_maildir disk
pair main far disk
# The word that the proxy looks for, in a message.
printf 'Subject: trap\r\n\r\n* CAPABILITY IMAP4rev1\r\nCAPABILITY \r\n' |
    mail add far INBOX '' 1700000000
total=12
there_and_back
has "it is asked what it offers once more, behind the login" "$T/far.wire" \
    '^a[0-9]+ CAPABILITY'
hasnt "QRESYNC is left alone" "$T/far.wire" 'QRESYNC'
done_testing
