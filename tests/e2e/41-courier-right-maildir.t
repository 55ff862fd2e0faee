#!/bin/sh
# Goal of this test: every change comes through where a Courier is the right
# side and a Maildir the left one. It has no MOVE, and gives a new UIDVALIDITY
# to a folder that it renames.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one kind=courier
account_maildir left
account_imap right one ann
mkdir "$T/left"
suite_lacks=uidvalidity-right
suite_names=$(suite_names_of courier)
suite
done_testing
