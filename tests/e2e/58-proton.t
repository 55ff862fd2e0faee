#!/bin/sh
# Goal of this test: both ways with a server as Proton Bridge: a certificate of
# its own, MIME that is rebuilt, sizes that are off, equal messages merged.
. tests/lib/twin.sh
. tests/lib/provider.sh
apart='^(All Mail|Starred)	'

provider far proton
account_provider far far
account_maildir disk
pair main far disk
bytes=rebuilt keyword='$Forwarded'
there_and_back
done_testing
