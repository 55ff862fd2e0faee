#!/bin/sh
# Goal of this test: the rows of docs/who-wins.md that need a pair, a server or
# a state of their own: 2, 13, 14, 15, 18, 21.
. tests/lib/twin.sh

server one extra='mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_max_mail_size = 20k
}
protocol imap {
  mail_plugins = quota
}'

# settled LABEL PAIR: the next run has nothing to do.
settled() {
    runs 0 "$1: a run after it" --json sync "$2"
    nothing_done "$1: does nothing"
}

# subjects ACCOUNT FOLDER: what is there, on one line.
subjects() {
    mail subjects "$1" | awk -F '\t' -v folder="$2" '$1 == folder {print $2}' |
        sort | tr '\n' ' '
}

# begin USER: a pair of that name, USER on the server and USER-disk, 14 messages.
begin() {
    account_imap "$1" one "$1"
    account_maildir "$1-disk"
    pair "$1" "$1" "$1-disk"
    mail new "$1" Box m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14
    mail new "$1" Other o1 o2
    runs 0 "$row: the first run" sync "$1"
}

row="row 2"
# Dovecot takes no keyword of more than 50 octets.
begin keyword
long=k23456789012345678901234567890123456789012345678901234567890
mail flag keyword-disk Box m1 "+$long" '+\Flagged' +short
runs 0 "$row: a keyword that the server cannot store" sync keyword
for _round in first second; do
    is "$row: it stays where it is ($_round time)" "$(mail subjects keyword-disk |
        grep -c "m1.*Flagged $long short")" 1
    is "$row: what can be stored is there ($_round time)" \
        "$(mail subjects keyword | grep -c 'm1.*\\Flagged short$')" 1
    settled "$row" keyword
    mail flag keyword Box m1 '+\Answered'
    runs 0 "$row: after another flag" sync keyword
    mail flag keyword Box m1 '-\Answered'
    runs 0 "$row: and without it" sync keyword
done

row="row 13"
# A new UIDVALIDITY, and a change on each side.
begin validity
mail delete validity Box m1
mail new validity-disk Box fresh
doveadm -c "$T/one/conf" mailbox update -u validity --uid-validity 4242 Box
runs 0 "$row: another UIDVALIDITY" --json sync validity
is "$row: deletes nothing" "$(summary '.left.deleted + .right.deleted')" 0
is "$row: sends what is missing, and nothing else" \
    "$(summary '"\(.left.copied) \(.right.copied)"')" "2 0"
equal "$row: both sides are equal" validity validity-disk
is "$row: nothing is doubled" "$(count validity)" 17
settled "$row" validity
# Deleted and made again, with some of its mail.
mail rmdir validity Box
mail new validity Box m3 m4 after
runs 0 "$row: a folder made again" --json sync validity
is "$row: deletes nothing" "$(summary '.left.deleted + .right.deleted')" 0
equal "$row: both sides are equal" validity validity-disk
is "$row: nothing is lost or doubled" "$(count validity)" 18
settled "$row" validity
# The server comes back from a backup: what came since then is not there.
home=$(dovecot_home "$T/one" validity)
doveadm -c "$T/one/conf" kick validity >/dev/null 2>&1
cp -a "$home" "$T/backup"
mail new validity Box since-1 since-2
mail delete validity Box m5
mail new validity-disk Box since-3
runs 0 "$row: a day later" sync validity
rm -rf "$home"
cp -a "$T/backup" "$home"
mail new validity Box new-1
runs 0 "$row: a server from a backup" --json sync validity
is "$row: deletes nothing" "$(summary '.left.deleted + .right.deleted')" 0
equal "$row: both sides are equal" validity validity-disk
for subject in since-1 since-2 since-3 new-1; do
    ok "$row: $subject is on both" mail raw validity Box "$subject"
done
settled "$row" validity

row="row 14"
begin lost
cp -a "$T/state/lost" "$T/old-state"
mail delete lost Box m1
mail new lost-disk Box late
runs 0 "$row: changes" sync lost
for which in lost older foreign; do
    case $which in
    lost) rm -rf "$T/state/lost" ;;
    older) rm -rf "$T/state/lost" && cp -a "$T/old-state" "$T/state/lost" ;;
    foreign) rm -rf "$T/state/lost" && cp -a "$T/state/keyword" "$T/state/lost" ;;
    esac
    runs 0 "$row: a state that is $which" --json sync lost
    is "$row: deletes nothing ($which)" \
        "$(summary '.left.deleted + .right.deleted')" 0
    is "$row: sends nothing ($which)" \
        "$(summary '.left.copied + .right.copied')" 0
    equal "$row: both sides are equal ($which)" lost lost-disk
    is "$row: nothing is doubled ($which)" "$(count lost)" 16
    settled "$row: $which" lost
done

row="row 15"
begin empty
find "$T/empty-disk" -path '*/cur/*' -type f -delete
find "$T/empty-disk" -path '*/new/*' -type f -delete
runs 3 "$row: an emptied side" --json sync empty
is "$row: deletes nothing" "$(summary '.left.deleted')" 0
is "$row: the other side is whole" "$(count empty)" 16
rm -rf "$T/empty-disk"
runs 3 "$row: a side that is missing" sync empty
is "$row: the other side is still whole" "$(count empty)" 16

row="row 18"
begin refused
# Too big to be stored, and a folder that cannot be made there.
mail bulk refused-disk Box 1 60000
runs 1 "$row: a message that is refused" --json sync refused
ok "$row: the source is untouched" mail raw refused-disk Box bulk-0
is "$row: it is counted" "$(summary .failed)" 1
runs 1 "$row: it is named each run" sync refused
has "$row: by its folder, with the server's words" "$T/err" 'Box.*larger than the maximum'
mail delete refused-disk Box bulk-0
touch "$T/refused-disk/Blocked"
mail move refused Other o1 Blocked/Deep
runs 1 "$row: a move to where no folder can be" sync refused
ok "$row: the moved one is still there" \
    mail raw refused-disk Other o1
ok "$row: and where it was moved" mail raw refused Blocked/Deep o1
rm "$T/refused-disk/Blocked"
runs 0 "$row: once the way is free" sync refused
equal "$row: both sides are equal" refused refused-disk

row="row 21"
# What is moved into a folder that cannot be looked at is not to be in none on
# the other side.
begin torn
rmdir "$T/torn-disk/Box/cur"
mv "$(grep -rl '^Subject: o1$' "$T/torn-disk/Other")" "$T/torn-disk/Box/new"
runs 1 "$row: a folder that has lost its cur" --json sync torn
is "$row: deletes nothing" "$(summary '.left.deleted')" 0
ok "$row: what was moved into it is where it was" mail raw torn Other o1
mkdir "$T/torn-disk/Box/cur"
runs 0 "$row: once somebody has made the directory" sync torn
equal "$row: both sides are equal" torn torn-disk
is "$row: nothing is lost or doubled" "$(count torn)" 16
settled "$row" torn

done_testing
