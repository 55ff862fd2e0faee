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

rm -rf "$T/disk" "$T/state"
runs 0 "a first run with an age" sync main
is "brings what is young" "$(count disk)" 1
done_testing
