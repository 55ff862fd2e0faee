#!/bin/sh
# Goal of this test: subscriptions follow between two servers: when a folder is
# made, renamed or deleted, and when somebody subscribes or unsubscribes later,
# on either side. One that a rename loses is not read as unsubscribed.
. tests/lib/twin.sh

server one
server two storage=mdbox separator=.
account_imap ann one ann
account_imap bob two bob
pair main ann bob

subscribed() {
    mail subscribed "$1" | sed '/^$/d' | tr '\n' ' '
}

# both NAME WANT
both() {
    is "$1, on the left" "$(subscribed ann)" "$2"
    is "$1, on the right" "$(subscribed bob)" "$2"
}

for folder in A A/Deep B Ümläut Quiet; do
    mail mkdir ann "$folder"
done
mail mkdir bob A
mail mkdir bob Right
for folder in A A/Deep B Ümläut; do
    mail subscribe ann "$folder"
done
mail subscribe bob Right
runs 0 "the first run" sync main
both "the first run unites them" "A A/Deep B Right Ümläut "
runs 0 "a run after it" --json sync main
nothing_done "does nothing"
hasnt "and says nothing of subscriptions" "$T/out" subscribed

mail unsubscribe ann A
mail unsubscribe bob Right
mail subscribe bob Quiet
runs 8 "a plan" plan main
has "tells of them" "$T/out" 'A: unsubscribe from the folder on bob'
runs 0 "changes on both sides" sync main
both "they are made on the other one" "A/Deep B Quiet Ümläut "

# Dovecot keeps subscriptions by name: RENAME leaves them behind.
mail rename ann B Renamed/B
runs 0 "a rename that loses a subscription" --json sync main
is "is a rename" "$(summary .right.folders_renamed)" 1
is "the new name is subscribed to on the right, the old one is not" \
    "$(subscribed bob)" "A/Deep Quiet Renamed/B Ümläut "
ok "and on the left" sh -c "python3 tests/lib/mail.py subscribed \
    '$(store ann)' | grep -qx Renamed/B"
runs 0 "a run after it" --json sync main
nothing_done "does nothing"
hasnt "and says nothing of subscriptions" "$T/out" subscribed

mail rmdir ann Quiet
runs 0 "a folder is deleted" sync main
is "its subscription goes with it" "$(subscribed bob)" \
    "A/Deep Renamed/B Ümläut "

# Where a side keeps none, or where they are not wanted, nothing is done.
account_maildir disk
account_imap eve one eve
pair local eve disk
mail mkdir eve A
mail subscribe eve A
runs 0 "to a Maildir" sync local
runs 0 "once more" --json sync local
nothing_done "does nothing"
is "it stays subscribed" "$(subscribed eve)" "A "
account_imap fay one fay
account_imap gil two gil
pair off fay gil 'subscriptions = no'
mail mkdir fay A
mail subscribe fay A
runs 0 "subscriptions = no" sync off
is "leaves them alone" "$(subscribed gil)" ""
done_testing
