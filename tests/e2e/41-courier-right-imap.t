#!/bin/sh
# Goal of this test: every change comes through where a Courier is the right
# side and a Dovecot the left one. It has no MOVE, and gives a new UIDVALIDITY
# to a folder that it renames.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=mdbox
server two kind=courier
account_imap left one ann
account_imap right two bob
suite_lacks=uidvalidity-right
suite_names=$(suite_names_of courier)
suite
done_testing
