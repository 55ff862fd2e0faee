#!/bin/sh
# Goal of this test: both ways with a server as Yahoo's: short commands, a
# window on the newest messages, messages that it lists and cannot deliver.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far yahoo window=9
account_provider far far 'window = 9' 'tls = none' 'allow_plaintext = yes'
account_maildir disk
pair main far disk
there_and_back

# The INBOX is filled to its edge: each new message hides an old one.
mail new far INBOX edge-1 edge-2 edge-3 edge-4 edge-5 edge-6 edge-7
runs 0 "new mail pushes old mail out of sight" sync main
has "that is said" "$T/err" 'INBOX.* newest messages'
agree "nothing is deleted for it" far disk
mail delete far INBOX edge-7
runs 0 "a deletion there" sync main
has "is not believed either" "$T/err" 'INBOX.* newest messages'
ok "the message stays here" sh -c "python3 tests/lib/mail.py subjects \
    '$(store disk)' | grep -q edge-7"


# A state that is lost while the server hides old mail that is here.
provider old yahoo window=5
account_provider old old 'window = 5' 'tls = none' 'allow_plaintext = yes'
account_maildir attic
pair old old attic
for _age in 1 2 3 4 5 6 7 8; do
    printf 'Subject: age-%d\r\n\r\nx\r\n' $_age |
        mail add old INBOX '' $((1600000000 + _age))
    [ $_age != 5 ] || runs 0 "mail while the oldest is to be seen" sync old
done
runs 0 "three that hide others" sync old
rm -r "$T/state/old"
runs 0 "the state is lost" sync old
has "mail that may be hidden there stays here" "$T/err" '3 messages are older'
agree "and is not doubled" old attic
runs 0 "another run" --json sync old
nothing_done "has nothing to do"

# One message that cannot be delivered takes no other with it.
provider sick yahoo unavailable=bad-1,bad-2 empty_body=hollow empty_once=shy
account_provider sick sick
account_maildir ward
pair sick sick ward
mail new sick INBOX ok-1 bad-1 ok-2 ok-3 bad-2 ok-4 hollow ok-5
mail new sick Shy shy
runs 1 "messages that are listed, but not delivered" --json sync sick
is "each of them is named, once" "$(jq -r 'select(.event == "failed") | .uid' \
    "$T/out" | sort | tr '\n' ' ')" "2 5 7 "
is "all others are there, also one that came empty once" \
    "$(mail subjects ward | cut -f 2 | tr '\n' ' ')" \
    "ok-1 ok-2 ok-3 ok-4 ok-5 shy "
is "and no file is empty" "$(find "$T/ward" -path '*/cur/*' -size 0 -o \
    -path '*/new/*' -size 0)" ""
mail delete sick INBOX ok-3
mail flag ward INBOX ok-4 '+\Seen'
runs 1 "the next run tries again, and does the rest" sync sick
is "a deletion" "$(mail subjects ward | grep -c ok-3)" 0
is "a flag" "$(mail subjects sick | grep -c 'ok-4.*Seen')" 1

is "no command is too long for it" \
    "$(awk 'length > 1000' "$T/far.wire" | wc -l)" 0
done_testing
