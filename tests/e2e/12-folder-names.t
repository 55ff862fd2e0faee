#!/bin/sh
# Goal of this test: every folder name comes through, whatever letters,
# separators and layouts lie between.
. tests/lib/twin.sh

server one storage=sdbox
server two storage=mdbox separator=.
account_imap left one ann
account_maildir nested
account_maildir plus maildir++
account_imap back one bob
account_imap dotted two cid
pair nested left nested
pair plus left plus
pair back plus back
pair dotted left dotted 'folders = *, !dots/*'

deep=a/b/c/d/e/f/g/h/i/j/k/l/m/n
for folder in "Bücher" "日本語/受信" "A & B" "&" "&-" "with  blanks" "$deep" \
    "100%" "%41" "%2E" "%2Fx" 'quote"d' 'back\slash' "(paren)" "{5}" "*star" \
    "cur" "new" "tmp" "x/cur/new" "dots/a.b" "dots/v1.2.3" "INBOX/child" \
    "NIL" "a~b" "e/é" "😀"; do
    mail new left "$folder" one-message || fail "Dovecot makes: $folder"
done
mail mkdir left "empty one"

runs 0 "into a nested Maildir" sync nested
equal "all are there" left nested
runs 0 "into a Maildir++" sync plus
equal "all are there" left plus
ok "no dot was taken for a level" test ! -e "$T/plus/.dots.a.b"
runs 0 "from there to another account" sync back
equal "all came back" left back
runs 0 "into a server with another separator" sync dotted
mail dump left | grep -v '^dots/' >"$T/without"
mail dump dotted >"$T/dotted.dump"
same "all but those with dots are there" "$T/without" "$T/dotted.dump"
runs 0 "again" --json sync
nothing_done "nothing is left to do"
done_testing
