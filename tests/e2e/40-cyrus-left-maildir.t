#!/bin/sh
# Goal of this test: every change comes through where a Cyrus is the left side
# and a Maildir the right one.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one kind=cyrus
account_imap left one ann
account_maildir right
suite_names=$(suite_names_of cyrus)
suite
done_testing
