#!/bin/sh
# Goal of this test: both ways with a server as iCloud's: a proxy that writes
# into the stream, and a QRESYNC that names what is still there.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far icloud
account_provider far far
account_maildir disk
pair main far disk
there_and_back
hasnt "QRESYNC is left alone" "$T/far.wire" 'QRESYNC'
done_testing
