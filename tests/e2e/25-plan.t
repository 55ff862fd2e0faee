#!/bin/sh
# Goal of this test: a plan says what a run would do, and changes nothing
# anywhere.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
pair main left disk
mail seed left 30

# Everything that a plan must not touch; lock.mdb names who reads, no more.
photo() {
    mail dump left
    mail dump disk 2>/dev/null
    find "$T/disk" "$T/state" -type f ! -name lock.mdb -print0 2>/dev/null |
        sort -z | xargs -0 -r sha256sum
    find "$T/disk" 2>/dev/null | sort
}

photo >"$T/before"
runs 8 "a plan of the first run" plan main
photo >"$T/after"
same "nothing changed" "$T/before" "$T/after"
ok "not even the root was made" test ! -e "$T/disk"
runs 8 "sync -n is the same" sync -n main
photo >"$T/after"
same "nothing changed" "$T/before" "$T/after"
runs 0 "the run" sync main
runs 0 "a plan of nothing" plan main

mail new left INBOX new-left
mail new disk Fresh new-right
mail flag disk Sent s1-1 '+\Answered'
mail delete left Lists/dev s1-2
photo >"$T/before"
runs 8 "a plan of changes" --json plan main
photo >"$T/after"
same "nothing changed" "$T/before" "$T/after"
is "it counts what would be done" \
    "$(summary '[.left.copied, .right.copied, .left.flagged,
        .right.deleted, .left.folders_created] | tostring')" "[1,1,1,1,1]"
runs 8 "a plan for people" plan main
has "names the folder" "$T/out" 'Fresh'
runs 0 "the run" --json sync main
is "does what the plan said" \
    "$(summary '[.left.copied, .right.copied, .left.flagged,
        .right.deleted, .left.folders_created] | tostring')" "[1,1,1,1,1]"
runs 0 "a plan of nothing" plan main
equal "both sides are equal" left disk
done_testing
