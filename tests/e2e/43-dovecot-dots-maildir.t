#!/bin/sh
# Goal of this test: every change comes through where the folders of a Dovecot
# with sdbox have "." between their levels, and the right side is a Maildir.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=sdbox separator=.
account_imap left one ann
account_maildir right
suite
done_testing
