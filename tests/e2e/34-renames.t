#!/bin/sh
# Goal of this test: a folder that was renamed on one side is renamed on the
# other, with its children, and no mail is sent again.
. tests/lib/twin.sh

server one
server two storage=mdbox
account_imap ann one ann
account_maildir disk
pair ann ann disk
account_imap bob one bob
account_imap carol two carol
pair bob bob carol
account_imap eve one eve
account_maildir plus maildir++
pair eve eve plus

for pair in ann:disk bob:carol eve:plus; do
    left=${pair%:*} right=${pair#*:}
    mail mkdir "$left" INBOX
    mail bulk "$left" Projects/Öl 30 8000
    mail bulk "$left" Projects/Öl/Old 20 8000
    mail bulk "$left" Misc 12 8000
    runs 0 "$left: the first run" sync "$left"

    mail rename "$left" Projects/Öl "Archive/Oil & Gas"
    runs 8 "$left: a plan" plan "$left"
    has "$left: the plan says so" "$T/out" 'rename the folder'
    runs 0 "$left: a run after a rename on the left" --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: two are renamed" "$(summary .right.folders_renamed)" 2
    is "$left: nothing is copied" "$(summary .right.copied)" 0
    is "$left: nothing is deleted" "$(summary .right.deleted)" 0
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"

    mail rename "$right" Misc Sundry
    runs 0 "$left: a run after a rename on the right" --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: one is renamed" "$(summary .left.folders_renamed)" 1
    is "$left: nothing is copied" "$(summary .left.copied)" 0
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"

    # As logs are put away: the old one goes, the last one gets its name.
    mail bulk "$left" Logs/last 12 8000
    mail bulk "$left" Logs/old 9 8000
    runs 0 "$left: a run" sync "$left"
    mail rmdir "$left" Logs/old
    mail rename "$left" Logs/last Logs/old
    mail new "$left" Logs/last fresh
    runs 0 "$left: a run after one got the name of one that was deleted" \
        --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: what is in it is not copied" "$(summary .right.copied)" 1
    is "$left: what was deleted does not come back" \
        "$(mail subjects "$left" | grep -c '^Logs/old')" 12
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"
done
done_testing
