#!/bin/sh
# Goal of this test: every change comes through where the left Dovecot keeps
# all folders below INBOX, in Maildir++, and the right one does not.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=maildir++ separator=. prefix=INBOX.
server two storage=maildir
account_imap left one ann
account_imap right two bob
suite
done_testing
