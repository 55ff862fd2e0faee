#!/bin/sh
# Goal of this test: row 19. Two names of one side that are one on the other are
# both refused and named, in whichever order they come, and nothing else waits
# for them; where both sides know them apart, both come through.
. tests/lib/twin.sh
. tests/lib/provider.sh

server one
account_imap left one ann
provider folding witness folds_case=1
account_provider right folding
pair main left right

mail new left INBOX hello
mail new left Work/Notes first
mail new left Work/notes second
runs 1 "two new names that are one over there" sync main
has "the one is named, and the other with it" "$T/err" \
    'Work/Notes.*Work/notes|Work/notes.*Work/Notes'
is "two of them" "$(grep -c 'rename one of the two' "$T/err")" 2
ok "other folders go on" mail raw right INBOX hello
is "no mail is put where both would be" \
    "$(mail dump right | grep -ic '^work/notes.*[0-9]$')" 0
mail new left INBOX again
runs 1 "once more" sync main
is "both are named again" "$(grep -c 'rename one of the two' "$T/err")" 2
ok "other folders go on" mail raw right INBOX again
mail rename left Work/notes Work/Letters
runs 0 "when one has another name" sync main
runs 0 "once more" --json sync main
nothing_done "nothing is left to do"
ok "both are there" mail raw right Work/Letters second
ok "each with its mail" mail raw right Work/Notes first

# One that was there for long, then a second one.
mail new left Work/NOTES third
mail new left Work/Notes fourth
runs 1 "a second name comes later" sync main
is "both are refused" "$(grep -c 'rename one of the two' "$T/err")" 2
ok "and nothing is merged" sh -c "! python3 tests/lib/mail.py raw \
    '$(store right)' Work/Notes third && ! python3 tests/lib/mail.py raw \
    '$(store right)' Work/Notes fourth"

# Where they are two on both sides, they stay two.
account_maildir nested
account_maildir plus maildir++
account_imap bob one bob
pair nested bob nested
pair plus bob plus
composed=$(printf 'caf\303\251') decomposed=$(printf 'cafe\314\201')
for folder in Foo foo FOO "$composed" "$decomposed" inboxes Inbox2 \
    "INBOX/Sub" "a.b" "a%2Eb"; do
    mail new bob "$folder" one-message
done
runs 0 "names that differ by case or Unicode form, nested" sync nested
equal "are all there" bob nested
runs 0 "names that differ by case or Unicode form, Maildir++" sync plus
equal "are all there" bob plus
runs 0 "a run after it" --json sync nested plus
nothing_done "does nothing"
done_testing
