#!/bin/sh
# Goal of this test: folders, sizes and ages that are left out stay where they
# are, and coming and going of the limits deletes nothing.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
mail seed left 20
mail new left Junk spam
mail new left "Old stuff" dust
mail bulk left Big 2 50000
printf 'Subject: today\r\n\r\nx\r\n' | mail add left INBOX

cp "$T/conf" "$T/accounts"
pair main left disk 'folders = *, !Junk, !"Old stuff", !Lists/*, Lists/dev' \
    'max_size = 20K'
runs 0 "a run with limits" sync main
is "the folders are those asked for" "$(mail folders disk | tr '\n' ,)" \
    "Big,Bücher & Öl,INBOX,Lists/dev,Sent,"
is "large messages stay where they are" \
    "$(mail dump disk | grep -c '^Big.*[0-9]')" 0
runs 0 "again" --json sync main
nothing_done "nothing is done"

cp "$T/accounts" "$T/conf"
pair main left disk
runs 0 "without limits the rest follows" sync main
equal "both sides are equal" left disk

cp "$T/accounts" "$T/conf"
pair main left disk 'folders = INBOX' 'newer_than = 30d'
mail dump left >"$T/before"
runs 0 "narrower limits" sync main
mail dump left >"$T/after"
same "delete nothing" "$T/before" "$T/after"
equal "on either side" left disk

# A message that was moved was in step, and goes with its twin.
# moved LINE FROM TO FROM TO FROM TO: so are those that the limits leave out.
moved() {
    cp "$T/accounts" "$T/conf"
    pair main left disk
    runs 0 "everything, once more" sync main
    cp "$T/accounts" "$T/conf"
    pair main left disk 'newer_than = 30d' 'max_size = 20K' "$1"
    mail move left "$2" s1-0 "$3"
    mail move disk "$4" s1-1 "$5"
    mail move left "$6" bulk-1 "$7"
    runs 0 "limits, and what they leave out is moved ($1)" sync main
    equal "it is moved on both sides ($1)" left disk
}
moved 'moves = yes' INBOX Archive Sent INBOX Big Sent
moved 'moves = no' Archive INBOX INBOX Sent Sent Big

rm -rf "$T/disk" "$T/state"
runs 0 "a first run with an age" sync main
is "brings what is young" "$(count disk)" 1
done_testing
