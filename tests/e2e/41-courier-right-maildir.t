#!/bin/sh
# Goal of this test: every change comes through where a Courier is the right
# side and a Maildir the left one. It has no MOVE, and gives a new UIDVALIDITY
# to a folder that it renames.
. tests/lib/twin.sh
. tests/lib/suite.sh

suite_lacks=uidvalidity-right
suite_on courier right maildir
done_testing
