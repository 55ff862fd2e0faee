#!/bin/sh
# Goal of this test: both ways with a server as Exchange's: no change tokens, no
# keywords, sizes that lie, MIME that is made anew for each reader.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far exchange
account_provider far far
account_maildir disk
pair main far disk
bytes=rebuilt keyword='$MDNSent'
there_and_back
done_testing
