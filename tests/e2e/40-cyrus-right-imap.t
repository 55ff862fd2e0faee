#!/bin/sh
# Goal of this test: every change comes through where a Cyrus is the right
# side and a Dovecot the left one.
. tests/lib/twin.sh
. tests/lib/suite.sh

suite_lacks=bare-parents
suite_on cyrus right imap
done_testing
