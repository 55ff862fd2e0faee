#!/bin/sh
# Goal of this test: every change comes through where a Courier is the left
# side and a Dovecot the right one. It has no MOVE, and gives a new
# UIDVALIDITY to a folder that it renames.
. tests/lib/twin.sh
. tests/lib/suite.sh

suite_lacks=uidvalidity-left
suite_on courier left imap
done_testing
