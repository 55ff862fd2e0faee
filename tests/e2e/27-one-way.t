#!/bin/sh
# Goal of this test: a one-way pair acts on one side only, and leaves alone what
# others put there; an archive keeps what was deleted.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir copy
account_maildir archive
account_maildir keep
pair copy left copy 'direction = left-to-right'
pair archive left archive 'direction = left-to-right' 'deletes = keep'
pair back keep left 'direction = right-to-left'
mail seed left 30
runs 0 "the first runs" sync
for side in copy archive keep; do
    equal "$side holds all" left "$side"
done

mail new copy INBOX foreign
mail flag copy Sent s1-1 '+\Answered'
mail delete copy Sent s1-6
mail new copy Foreign other
mail dump left >"$T/before"
runs 0 "changes of the target" --json sync copy
is "nothing is done to the source" \
    "$(summary '.left | [.copied, .flagged, .deleted, .folders_created] |
        add')" 0
mail dump left >"$T/after"
same "the source is as it was" "$T/before" "$T/after"

mail delete left INBOX s1-0
mail flag left INBOX s1-5 '+\Flagged' -later
mail new left INBOX fresh
runs 0 "changes of the source" sync
is "the deletion arrives" "$(mail dump copy | grep -c '^INBOX.*(folder)')" 1
is "in the copy it is gone" \
    "$(mail raw copy INBOX s1-0 2>/dev/null | wc -c)" 0
ok "in the archive it is kept" mail raw archive INBOX s1-0
ok "new mail arrives" mail raw copy INBOX fresh
ok "there too" mail raw archive INBOX fresh
ok "foreign mail is left alone" mail raw copy INBOX foreign
ok "and so is a foreign folder" mail raw copy Foreign other
equal "the other direction works the same" left keep
runs 0 "once more" --json sync
nothing_done "nothing is done"
done_testing
