#!/bin/sh
# Goal of this test: both ways with a server as Gmail's: folders are labels on
# one heap of messages, equal messages are merged, flags belong to the message.
. tests/lib/twin.sh
. tests/lib/provider.sh
apart='^\[Gmail\]/(All Mail|Important|Starred)	'

provider far gmail size_factor=2
account_provider far far
account_maildir disk
pair main far disk
there_and_back
done_testing
