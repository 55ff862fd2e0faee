#!/bin/sh
# Goal of this test: every change comes through where a Cyrus is the left side
# and a Maildir the right one.
. tests/lib/twin.sh
. tests/lib/suite.sh

suite_on cyrus left maildir
done_testing
