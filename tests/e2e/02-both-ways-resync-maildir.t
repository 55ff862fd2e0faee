#!/bin/sh
# Goal of this test: every change on both sides comes together, on a server of
# the tier "resync" and a right side of the kind "maildir", and the result is
# the one of every other tier.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one tier=resync
account_imap left one ann
account_maildir right
suite
done_testing
