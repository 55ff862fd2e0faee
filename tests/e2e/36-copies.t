#!/bin/sh
# Goal of this test: what was copied into another folder on one side is copied
# there on the other side by the server, or on the disk, without its octets
# crossing the wire; and with moves = no the same messages end up in the same
# folders. Row 9 of the table of who wins.
. tests/lib/twin.sh

octets=800000
server one
server two storage=mdbox

account_imap ann one ann
account_maildir disk
pair ann ann disk
account_imap bob one bob
account_imap carol two carol
pair bob bob carol
account_imap dave one dave
account_maildir copy
pair dave dave copy "moves = no"

for pair in ann:disk bob:carol dave:copy; do
    left=${pair%:*} right=${pair#*:}
    mail bulk "$left" INBOX 40 10000
    mail new "$left" INBOX one
    mail new "$left" INBOX two
    mail mkdir "$left" Archive/2024
    mail mkdir "$left" More
    runs 0 "$left: the first run" sync "$left"
    mail copy "$left" INBOX all Archive/2024
    mail flag "$left" Archive/2024 one '+\Flagged' +kept
    mail copy "$left" INBOX one INBOX
    mail delete "$right" INBOX two
    runs 0 "$left: a run after copies on the left" --json sync "$left"
    equal "$left: row 9: both sides are equal" "$left" "$right"
    is "$left: 84 copies, and what was there" "$(count "$right")" 84
    if [ "$left" != dave ]; then
        is "$left: all are copied" "$(summary .right.copied)" 43
        is "$left: but for the one whose original is gone, by the server" \
            "$(jq -r 'select(.event == "copied") | .from // "-"' "$T/out" |
                sort | uniq -c | tr -s ' \n' ' ')" " 1 - 42 INBOX "
        received=$(($(summary .wire.left.received) +
            $(summary .wire.right.sent)))
        ok "$left: $received octets for $octets of mail" \
            test "$received" -lt $((octets / 8))
    else
        is "$left: with moves = no all are read" \
            "$(jq -r 'select(.event == "copied") | .from // empty' "$T/out")" ""
    fi
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"

    # And on the other side, where the copies are copied once more.
    mail copy "$right" Archive/2024 all More
    runs 0 "$left: a run after copies on the right" --json sync "$left"
    equal "$left: both sides are equal" "$left" "$right"
    is "$left: all are copied" "$(summary .left.copied)" 42
    sent=$(($(summary .wire.left.sent) + $(summary .wire.right.received)))
    [ "$left" = dave ] || ok "$left: $sent octets" \
        test "$sent" -lt $((octets / 8))
    runs 0 "$left: a run after it" --json sync "$left"
    nothing_done "$left: does nothing"
done

# On a disk the bytes are proof, with twins too; cp gives a copy another date.
printf 'Subject: odd\n\nof no other size\n' >"$T/odd"
mail add ann INBOX '' 1000000000 <"$T/odd"
mail add ann INBOX '' 1000000000 <"$T/odd"
runs 0 "twins" sync ann
odd=$(grep -rl '^Subject: odd' "$T/disk/INBOX" | head -n 1)
cp -p "$odd" "$T/disk/More/new/1700000000.M1P1.elsewhere"
cp "$odd" "$T/disk/More/new/1700000000.M1P2.elsewhere"
runs 0 "a run after cp" --json sync ann
equal "copies them" ann disk
is "one by the server, the other with its own date" \
    "$(jq -r 'select(.event == "copied") | .from // "-"' "$T/out" | sort |
        tr '\n' ' ')" "- INBOX "
runs 0 "check finds no difference" check ann

# The server does what it was asked, and the answer never arrives.
n=0
for way in copy:Copy move:Move; do
    n=$((n + 1))
    account_maildir "there$n"
    relay "cut$n" one -x "${way#*:} completed"
    account_relay "far$n" "cut$n" "eve$n"
    pair "lost$n" "there$n" "far$n" "max_delete = off"
    mail bulk "there$n" INBOX 20 2000
    mail mkdir "there$n" X
    runs 0 "the first run" sync "lost$n"
    mail "${way%:*}" "there$n" INBOX all X
    mt --force-delete sync "lost$n"
    if [ "$code" = 0 ]; then
        equal "the answer to ${way#*:} is lost: all are there, once" \
            "there$n" "far$n"
    else
        pass "the answer to ${way#*:} is lost, and the run ends with $code"
    fi
    runs 0 "the run after that" --force-delete sync "lost$n"
    equal "all are there, once" "there$n" "far$n"
    runs 0 "one more" --json sync "lost$n"
    nothing_done "does nothing"
done
done_testing
