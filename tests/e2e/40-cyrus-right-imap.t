#!/bin/sh
# Goal of this test: every change comes through where a Cyrus is the right
# side and a Dovecot the left one.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=mdbox
server two kind=cyrus
account_imap left one ann
account_imap right two bob
suite_lacks=bare-parents
suite_names=$(suite_names_of cyrus)
suite
done_testing
