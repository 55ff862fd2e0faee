#!/bin/sh
# Goal of this test: folders come, go and change their names on both sides, and
# no mail is lost on the way.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
pair main left disk
mail seed left 40
mail new left Move/me one two three
mail mkdir left Empty
runs 0 "the first run" sync main
equal "both sides are equal" left disk

mail mkdir left New/left
mail mkdir disk New/right
mail rmdir disk Empty
runs 0 "folders come and go" --json sync main
equal "both sides are equal" left disk
ok "one that went is gone" sh -c "! doveadm -c '$T/one/conf' mailbox list \
    -u ann | grep -x Empty"

mail rename left Move/me Moved/there
runs 0 "a new name on the left" sync main
equal "both sides are equal" left disk
is "nothing is lost" "$(count disk)" 43
mail rename disk Moved/there Again
runs 0 "a new name on the right" sync main
equal "both sides are equal" left disk
is "nothing is lost" "$(count left)" 43

# A folder goes on one side while mail comes to it on the other.
mail new left Again fresh
mail rmdir disk Again
runs 0 "gone here, new mail there" sync main
ok "the new mail lives" mail raw left Again fresh
ok "on both sides" mail raw disk Again fresh
is "the old does not" "$(count left)" 41
equal "both sides are equal" left disk
runs 0 "once more" --json sync main
nothing_done "nothing is done"
done_testing
