#!/bin/sh
# Goal of this test: every change on both sides comes together, on a server of
# the tier "bare" and a right side of the kind "imap", and the result is the
# one of every other tier.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one tier=bare
account_imap left one ann
server two tier=bare storage=mdbox
account_imap right two bob
suite
done_testing
