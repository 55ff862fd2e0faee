#!/bin/sh
# Goal of this test: row 2 of the table of who wins: a keyword that one side
# cannot store stays where it is, and is never taken for removed. A Maildir has
# letters for 26.
. tests/lib/twin.sh

server one storage=mdbox
account_imap ann one ann
account_maildir disk
pair ann ann disk

keywords=
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 \
    27 28 29 30; do
    keywords="$keywords +k$n"
done
mail new ann INBOX many
mail new ann INBOX few
# shellcheck disable=SC2086 # words on purpose
mail flag ann INBOX many $keywords '+\Seen'
runs 0 "30 keywords for a Maildir" sync ann
keys() {
    mail dump "$1" | grep 'k1[ 	]\|k1$' | tr ' \t' '\n\n' | grep -c '^k'
}
is "26 are there" "$(keys disk)" 26
is "30 are still here" "$(keys ann)" 30
runs 0 "the next run" --json sync ann
nothing_done "does nothing"
mail flag disk INBOX many -k3 '+\Flagged'
runs 0 "a run after one was removed on the disk" --json sync ann
is "29 are left" "$(keys ann)" 29
is "one message is changed" "$(summary .left.flagged)" 1
mail flag ann INBOX few +k30
mail flag ann INBOX many -k29
runs 0 "a run with keywords that find no letter" sync ann
is "28 are left" "$(keys ann)" 28
is "on another message as well" "$(mail dump ann | grep -c 'k30')" 2
runs 0 "the next run" --json sync ann
nothing_done "does nothing"
done_testing
