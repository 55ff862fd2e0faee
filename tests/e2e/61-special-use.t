#!/bin/sh
# Goal of this test: folders with the same special use are each other's twin
# though their names differ, with all below them; but no pairing on record is
# changed for it, and nothing is mapped where that would be a guess.
. tests/lib/twin.sh

uses='namespace inbox {
  mailbox "Sent Items" {
    special_use = \Sent
  }
  mailbox "Deleted Items" {
    special_use = \Trash
  }
  mailbox Entwürfe {
    special_use = \Drafts
  }
}'
server one "extra=namespace inbox {
  mailbox Drafts {
    special_use = \\Drafts
  }
}"
server two "extra=$uses" storage=mdbox
account_imap ann one ann
account_imap bob two bob
pair main ann bob

folders() {
    mail folders "$1" | tr '\n' ' '
}

mail new ann INBOX hello
mail new ann Sent sent-left
mail new ann Sent/2025 last-year
mail new ann Trash thrown-away
mail new ann Drafts half-written
mail new bob "Sent Items" sent-right
mail new bob "Deleted Items" thrown-right
mail new bob "Deleted Items/old" thrown-long-ago
mail new bob "Entwürfe" begun
runs 8 "a plan" plan main
has "tells the name on the other side" "$T/out" \
    '^main: Sent Items/2025: create the folder on bob'
runs 0 "the first run" sync main
is "no folder of the left appears on the right" "$(folders bob)" \
    "Deleted Items Deleted Items/old Entwürfe INBOX Sent Items Sent Items/2025 "
is "and none of the right on the left" "$(folders ann)" \
    "Drafts INBOX Sent Sent/2025 Trash Trash/old "
ok "what was sent on the left is on the right" mail raw bob "Sent Items" \
    sent-left
ok "and the other way round" mail raw ann Sent sent-right
ok "what lies below came along, to the right" mail raw bob "Sent Items/2025" \
    last-year
ok "and to the left" mail raw ann Trash/old thrown-long-ago
ok "names beyond ASCII too" mail raw ann Drafts begun
runs 0 "a run after it" --json sync main
nothing_done "does nothing"

mail move ann INBOX hello Sent
mail new bob "Sent Items/2026" this-year
mail delete bob "Entwürfe" begun
mail flag ann Trash thrown-right '+\Flagged'
runs 0 "changes on both sides" --json sync main
is "the move is a move" "$(summary .right.moved)" 1
ok "into the twin" mail raw bob "Sent Items" hello
ok "a new folder goes below the twin" mail raw ann Sent/2026 this-year
runs 0 "check" check main

# On record: what special use says later changes nothing.
mail rename ann Trash Bin
runs 0 "a folder that lost its use with its name" --json sync main
is "gives its twin its name" "$(folders bob)" "Bin Bin/old Entwürfe INBOX \
Sent Items Sent Items/2025 Sent Items/2026 "
is "and nothing is sent" "$(summary .right.copied)" 0
runs 0 "a run after it" --json sync main
nothing_done "does nothing"
rm -rf "$T/state"
mt sync main
is "with a lost state" "$code" 0
is "the folders find each other again" "$(folders ann)" "Bin Bin/old Drafts \
INBOX Sent Sent/2025 Sent/2026 "
runs 0 "a run after it" --json sync main
nothing_done "does nothing"

# A new folder gets its use on the other side, where there is none.
account_imap eve one eve
account_imap fay two fay
pair off eve fay 'special_use = no'
mail new eve Sent one-mail
mail new fay "Sent Items" other-mail
runs 0 "special_use = no" sync off
is "goes by names, right" "$(folders fay)" "INBOX Sent Sent Items "
is "goes by names, left" "$(folders eve)" "INBOX Sent Sent Items "

# Two of one use, or a name that is on the other side: no guess.
account_imap gil one gil
account_imap hal two hal
pair taken gil hal
mail new gil Sent one-mail
mail new hal Sent plain-mail
mail new hal "Sent Items" other-mail
runs 0 "where the name is on the other side, too" sync taken
is "names count" "$(folders gil)" "INBOX Sent Sent Items "
equal "and both sides are equal" gil hal

# delete_mode = trash knows the Trash of each side.
account_imap ida one ida
account_imap jon two jon
pair bin ida jon 'delete_mode = trash'
mail new ida INBOX keep
mail new ida INBOX drop
mail mkdir ida Trash
mail mkdir jon "Deleted Items"
runs 0 "with delete_mode = trash" sync bin
mail delete ida INBOX drop
runs 0 "a deletion on the left" sync bin
ok "goes into the Trash of the right" mail raw jon "Deleted Items" drop
ok "which is the twin of that on the left" mail raw ida Trash drop

# Left out by the name on the left: the twin takes no part either.
account_imap leo one leo
account_imap mia two mia
pair out leo mia 'folders = *, !Sent'
mail new leo Sent one-mail
mail new mia "Sent Items" other-mail
runs 0 "a folder that takes no part by its left name" sync out
is "is left alone, on the left" "$(folders leo)" "INBOX Sent "
is "and on the right" "$(folders mia)" "INBOX Sent Items "

# A Maildir has no uses: it keeps names.
account_maildir disk
account_imap kim two kim
pair local kim disk
mail new kim "Sent Items" one-mail
runs 0 "to a Maildir" sync local
equal "names stay as they are" kim disk
done_testing
