#!/bin/sh
# Goal of this test: a folder that the other side cannot have is named, does
# not stop the others, and nothing is ever written outside of the root.
. tests/lib/twin.sh

server dots separator=.
account_maildir left
account_imap right dots ann
account_maildir local nested inner/local
pair main left right
pair local left local

mkdir "$T/left" "$T/inner"
mail seed left 10
mail new left "v1.2" dotted
runs 1 "a name with the server's separator fails" sync main
has "it is named" "$T/err" 'v1\.2'
mail dump left | grep -v '^v1' >"$T/want"
mail dump right >"$T/got"
same "all other folders are in step" "$T/want" "$T/got"
runs 1 "the next run says so again" sync main
has "it is named again" "$T/err" 'v1\.2'

# Directories whose names decode to what must never be a path.
for name in %2E%2E %2E%2E%2Foutside %2Fetc; do
    mkdir -p "$T/left/$name/cur" "$T/left/$name/new" "$T/left/$name/tmp"
    printf 'Subject: x\n\nx\n' >"$T/left/$name/cur/escaped:2,S"
done
runs 1 "names that lead out fail" sync main
has "they are named" "$T/err" '%2E%2E'
mail dump right >"$T/got"
same "and nothing else came of them" "$T/want" "$T/got"

mt sync local
ok "between two Maildirs: exit $code is 0 or 1" test "$code" -le 1
is "nothing lies beside the root" "$(ls -A "$T/inner")" local
is "nothing is outside of it" \
    "$(find "$T/inner/local" -name 'x:2*' -o -name outside)" ""
done_testing
