#!/bin/sh
# Goal of this test: every change comes through where a Dovecot keeps all
# folders below INBOX, as Courier does, in Maildir++, and the left side is a
# Maildir of that layout.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=maildir++ separator=. prefix=INBOX.
account_maildir left maildir++
account_imap right one ann
mkdir "$T/left"
suite
done_testing
