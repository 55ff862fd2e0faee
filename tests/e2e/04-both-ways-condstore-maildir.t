#!/bin/sh
# Goal of this test: new mail, flags, keywords, moves and deletions of both
# sides come together, on a server of the tier "condstore" and a right side of the
# kind "maildir", and the result is the one of every other tier.
. tests/lib/twin.sh
. tests/lib/both-ways.sh

both_ways condstore maildir
done_testing
