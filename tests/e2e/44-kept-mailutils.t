#!/bin/sh
# Goal of this test: without UIDPLUS a message is expunged only where no other
# one carries \Deleted; else it is left, named, and the run ends with 1.
# Keywords stay where they are.
. tests/lib/twin.sh

server one kind=mailutils
account_imap left one ann
account_maildir right
pair main left right

mail new left INBOX one
mail new left INBOX two
mail new left INBOX three
mail flag left INBOX two '+\Deleted'
runs 0 "the first run" sync main
mail delete right INBOX one
runs 1 "a deletion beside a message that somebody else marked" sync main
has "it is named" "$T/err" 'INBOX'
is "both are still there" "$(count left)" 3
is "and marked" "$(mail dump left | grep -c Deleted)" 2

mail flag left INBOX two '-\Deleted'
mt sync main
runs 0 "once the mark is gone" sync main
is "one is gone" "$(count left)" 2
mail flag right INBOX three '+$Work'
runs 0 "a keyword" --json sync main
runs 0 "once more" --json sync main
nothing_done "does nothing"
has "it stays on the right" "$T/right/INBOX/dovecot-keywords" 'Work'
is "and nothing came of it on the left" "$(mail dump left | grep -c Work)" 0
done_testing
