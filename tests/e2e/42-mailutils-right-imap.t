#!/bin/sh
# Goal of this test: every change but those of keywords comes through where an
# imap4d of GNU mailutils is the right side and a Dovecot the left one. It has
# no UIDPLUS and no MOVE, forgets the flags and the date that come with
# APPEND, and numbers a folder anew that was emptied.
. tests/lib/twin.sh
. tests/lib/suite.sh

server one storage=mdbox
server two kind=mailutils
account_imap left one ann
account_imap right two bob
suite_lacks="keywords dates"
suite_names=$(suite_names_of mailutils)
suite
done_testing
