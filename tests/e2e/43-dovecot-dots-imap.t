#!/bin/sh
# Goal of this test: every change comes through where the left Dovecot has
# sdbox and "." between the levels of folders, and the right one mdbox and
# "/".
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=sdbox separator=.
server two storage=mdbox
account_imap left one ann
account_imap right two bob
suite
done_testing
