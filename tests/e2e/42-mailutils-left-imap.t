#!/bin/sh
# Goal of this test: every change but those of keywords comes through where an
# imap4d of GNU mailutils is the left side and a Dovecot the right one. It has
# no UIDPLUS and no MOVE, forgets the flags and the date that come with
# APPEND, and numbers a folder anew that was emptied.
. tests/lib/twin.sh
. tests/lib/suite.sh

suite_lacks="keywords dates"
suite_on mailutils left imap
done_testing
