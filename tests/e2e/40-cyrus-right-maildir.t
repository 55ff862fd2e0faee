#!/bin/sh
# Goal of this test: every change comes through where a Cyrus is the right
# side and a Maildir the left one.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one kind=cyrus
account_maildir left
account_imap right one ann
mkdir "$T/left"
suite_lacks=bare-parents
suite_names=$(suite_names_of cyrus)
suite
done_testing
