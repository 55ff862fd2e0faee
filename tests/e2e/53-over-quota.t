#!/bin/sh
# Goal of this test: messages for which there is no room fail, and nothing else
# does; a side that is full is not sent all the rest in vain; with room again
# the next run goes on.
. tests/lib/twin.sh

quota='mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=200K
  quota_grace = 0
}
protocol imap {
  mail_plugins = quota
}'
for tier in resync bare; do
    server "$tier" "tier=$tier" extra="$quota"
    account_maildir "left_$tier"
    account_imap "right_$tier" "$tier" ann
    pair "$tier" "left_$tier" "right_$tier"
    mkdir "$T/left_$tier"
    mail new "right_$tier" INBOX "theirs"
    mail bulk "left_$tier" First 10 1000
    runs 0 "$tier: there is room" sync "$tier"

    mail bulk "left_$tier" Second 400 10000
    mail flag "left_$tier" First bulk-1 +Flagged
    mail new "right_$tier" INBOX "more of theirs"
    runs 1 "$tier: there is no more room" --json sync "$tier"
    copied=$(summary .right.copied)
    ok "$tier: as many as fit are copied ($copied)" test "$copied" -gt 3
    is "$tier: each of the others is named or counted" \
        "$(summary .failed)" "$((400 - copied))"
    # What is refused as a batch was sent; one by one little is.
    limit=6000000
    [ "$tier" = resync ] || limit=1000000
    ok "$tier: it is not sent again and again" \
        test "$(summary .wire.right.sent)" -lt "$limit"
    is "$tier: the other way goes on" "$(summary .left.copied)" 1
    is "$tier: so do flags" "$(summary .right.flagged)" 1
    mt sync "$tier"
    has "$tier: it is told why" "$T/err" \
        "messages were not sent: right_$tier is over its quota"

    mail delete "left_$tier" Second all
    runs 0 "$tier: with room again" --force-delete sync "$tier"
    runs 0 "$tier: and once more" sync "$tier"
    equal "$tier: both sides are equal" "left_$tier" "right_$tier"
done

# On a long line several batches are on their way before the first is refused.
server far extra="$quota"
relay slow far -d 60
account_maildir many
account_relay narrow slow ann
pair far many narrow
mkdir "$T/many"
for folder in A B C D E F; do
    mail bulk many $folder 100 10000
done
runs 1 "far: there is no room" --json sync far
copied=$(summary .right.copied)
ok "far: what fits one by one is copied ($copied)" test "$copied" -gt 15
done_testing
