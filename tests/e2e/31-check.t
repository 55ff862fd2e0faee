#!/bin/sh
# Goal of this test: check finds every difference, and changes nothing.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
pair main left disk
mail seed left 30
runs 0 "the first run" sync main
runs 0 "check of equal sides" check main
runs 0 "check --deep of equal sides" check --deep main

mail flag disk Sent s1-1 '+\Answered'
runs 8 "a flag" check main
has "its folder is named" "$T/out" 'Sent'
runs 0 "the run" sync main
runs 0 "check of equal sides" check main

mail new disk INBOX extra
mail dump disk >"$T/before"
runs 8 "a message more" check main
has "its folder is named" "$T/out" 'INBOX'
mail dump disk >"$T/after"
same "nothing changed" "$T/before" "$T/after"
runs 0 "the run" sync main

# The same size, another byte: only the bytes tell.
file=$(grep -rl 'Subject: s1-3 ' "$T/disk/Lists/users/cur" \
    "$T/disk/Lists/users/new")
stamp=$(stat -c %Y "$file")
sed -i '$s/./Z/' "$file"
touch -d "@$stamp" "$file"
runs 8 "another byte is seen by --deep" check --deep main
has "its folder is named" "$T/out" 'Lists/users'
done_testing
