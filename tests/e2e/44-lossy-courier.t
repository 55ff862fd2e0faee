#!/bin/sh
# Goal of this test: a message that Courier does not give back as it was, for
# it has no line end at its end or a bare CR, is copied once, and no run after
# it does anything. A folder whose name it does not take is named.
. tests/lib/twin.sh

server one kind=courier
account_maildir left
account_imap right one ann
pair main left right

mkdir "$T/left"
mail seed left 10
printf 'Subject: no-end\n\nx' | mail add left INBOX '\Seen' 1000000000
printf 'Subject: bare-cr\n\na\rb\n' | mail add left INBOX '' 1000000001
runs 0 "they are copied" --json sync main
is "all of them" "$(summary .right.copied)" 12
for again in once twice; do
    runs 0 "$again more" --json sync main
    nothing_done "does nothing"
done
is "and they are there" "$(count right)" 12
mail move left INBOX no-end Sent
runs 0 "one is moved" --json sync main
is "there, too" "$(mail raw right Sent no-end | tail -c 3 | tr -d '\r\n')" x
is "and is still one" "$(count right)" 12

mail mkdir left '~x' '😀'
runs 1 "a name is refused" --json sync main
has "it is named" "$T/err" '😀: CREATE refused'
is "nothing else is touched" "$(count right)" 12
done_testing
