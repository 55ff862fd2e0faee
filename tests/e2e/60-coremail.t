#!/bin/sh
# Goal of this test: both ways with a server as 163.com's: ID before SELECT or
# nothing, no keywords, neither MOVE nor UNSELECT, names beyond ASCII.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far coremail
account_provider far far
account_maildir disk
pair main far disk
keyword='\Draft'
there_and_back
done_testing
