#!/bin/sh
# Goal of this test: the first run brings every kind of pair into step,
# whichever side the mail is on, and the second one has nothing to do.
. tests/lib/twin.sh

server one
server two storage=mdbox separator=.
account_imap ann one ann
account_imap bob two bob
account_imap cid two cid
account_maildir disk
account_maildir plus maildir++
account_maildir other
mail seed ann 60

pair pull ann disk
pair push disk bob
pair direct ann cid
pair local disk plus
pair both bob other

runs 0 "IMAP to Maildir" --json sync pull
equal "both sides are equal" ann disk
is "60 messages were copied to the right" "$(summary .right.copied)" 60
is "and none to the left" "$(summary .left.copied)" 0
is "five folders, but for those of the server" \
    "$(mail folders disk | tr '\n' ,)" "$(mail folders ann | tr '\n' ,)"

runs 0 "Maildir to IMAP" --json sync push
equal "both sides are equal" disk bob
is "60 messages were copied to the right" "$(summary .right.copied)" 60

runs 0 "IMAP to IMAP" --json sync direct
equal "both sides are equal" ann cid

runs 0 "Maildir to Maildir" --json sync local
equal "both sides are equal" disk plus

for name in pull push direct local; do
    runs 0 "$name again" --json sync "$name"
    nothing_done "$name again does nothing"
done

mkdir "$T/other"
mail seed other 30 2
runs 0 "mail on both sides: it is joined" --json sync both
equal "both sides are equal" bob other
is "nothing is lost" "$(count bob)" 90
is "60 went to the right" "$(summary .right.copied)" 60
is "30 went to the left" "$(summary .left.copied)" 30

runs 0 "again" --json sync both
nothing_done "again does nothing"
runs 0 "all pairs at once" --json sync
is "a summary for each" "$(summary .pair | sort | tr '\n' ' ')" \
    "both direct local pull push "
done_testing
