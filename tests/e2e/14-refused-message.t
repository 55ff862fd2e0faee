#!/bin/sh
# Goal of this test: a message that the server does not take is named, with the
# server's words, in every run; all others are done; the exit status is 1.
. tests/lib/twin.sh

server small extra='mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_max_mail_size = 20k
}
protocol imap {
  mail_plugins = quota
}'
account_maildir left
account_imap right small ann
pair main left right

mkdir "$T/left"
mail seed left 20
: | mail add left INBOX '\Seen' 1000000000
{
    printf 'Subject: too-big\n\n'
    head -c 60000 /dev/zero | tr '\0' x
} | mail add left Sent '' 1000000001

runs 1 "two messages are refused" --json sync main
is "two failures" "$(summary .failed)" 2
is "20 were copied" "$(summary .right.copied)" 20
is "each failure is an event of its own" \
    "$(jq -r 'select(.event != "summary" and .folder != null and
        .reason != null) | .folder' "$T/out" | sort -u | tr '\n' ' ')" \
    "INBOX Sent "
runs 1 "the next run" -v sync main
has "the empty one is named" "$T/err" 'INBOX'
big=$(basename "$(find "$T/left/Sent" -size +50k -type f)")
has "the file of the big one is named" "$T/err" \
    "Sent: .*message [0-9]* \(${big%:2,*}\): "
has "the big one is named" "$T/err" 'Sent.*([Qq]uota|[Tt]oo large|larger)'
runs 1 "a quiet run names them too" -q sync main
has "the big one is named" "$T/err" 'Sent'
runs 1 "they are not sent again" --json sync main
ok "so it costs little" test "$(summary .wire.right.sent)" -lt 4000
runs 0 "status" status main
has "status lists them" "$T/out" "failed: Sent: message [0-9]* \(${big%:2,*}\): "
has "as what stays on its side" "$T/out" \
    "stays on left: Sent: message [0-9]* \(${big%:2,*}\), "

# What stood in the way goes away.
find "$T/left" -type f -path '*/cur/*' -size 0 -delete
mail delete left Sent too-big
runs 0 "without them all is in step" sync main
equal "both sides are equal" left right
done_testing
