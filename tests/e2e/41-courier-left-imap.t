#!/bin/sh
# Goal of this test: every change comes through where a Courier is the left
# side and a Dovecot the right one. It has no MOVE, and gives a new
# UIDVALIDITY to a folder that it renames.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one kind=courier
server two storage=mdbox
account_imap left one ann
account_imap right two bob
suite_lacks=uidvalidity-left
suite_names=$(suite_names_of courier)
suite
done_testing
