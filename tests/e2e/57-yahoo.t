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

is "no command is too long for it" \
    "$(awk 'length > 1000' "$T/far.wire" | wc -l)" 0
done_testing
