#!/bin/sh
# Goal of this test: with its state lost, damaged, or from another time, a run
# pairs both full sides again; nothing is copied twice, nothing is deleted.
. tests/lib/twin.sh

server one
server two storage=mdbox
account_imap left one ann
account_maildir disk
account_imap other two bob
pair main left disk
pair far left other
mail seed left 60
printf 'Subject: twin\r\n\r\nsame\r\n' >"$T/twin"
mail add left INBOX '' 1000000000 <"$T/twin"
mail add left INBOX '' 1000000000 <"$T/twin"
printf 'no header' | mail add left INBOX '' 1000000000
runs 0 "the first runs" sync
mail dump left >"$T/all"
cp -a "$T/state" "$T/old-state"

rm -rf "$T/state"
runs 0 "without the state" --json sync
is "nothing is copied" "$(summary '.left.copied + .right.copied')" "0
0"
mail dump left >"$T/now"
same "the left side is as it was" "$T/all" "$T/now"
equal "the Maildir is" left disk
equal "and so is the other server" left other

# Lost, and both sides changed since.
rm -rf "$T/state"
mail delete left INBOX s1-0
mail new disk INBOX came-later
mail flag left Sent s1-1 '+\Draft'
mail flag disk Sent s1-1 '+\Answered'
runs 0 "without the state, after changes" --json sync main
equal "both sides are equal" left disk
is "nothing is lost, nothing doubled" "$(count left)" 64
is "what was deleted is there again" \
    "$(mail raw left INBOX s1-0 | grep -c '^Subject: s1-0')" 1

# Damaged.
for damage in truncate random; do
    find "$T/state" -name 'data.mdb' | while read -r file; do
        case $damage in
        truncate) head -c 5000 "$file" >"$file.x" && mv "$file.x" "$file" ;;
        random) head -c 30000 /dev/urandom >"$file" ;;
        esac
    done
    runs 0 "a state with damage ($damage)" -q --json sync main
    has "it is moved aside, and said so" "$T/err" 'damaged.*moved'
    is "nothing is copied" "$(summary '.left.copied + .right.copied')" 0
    equal "both sides are equal" left disk
    runs 0 "the next run" --json sync main
    nothing_done "has nothing to do"
    hasnt "and nothing to say" "$T/err" 'moved'
done

# Older than the mail: it knows of messages that came and went.
rm -rf "$T/state"
cp -a "$T/old-state" "$T/state"
runs 0 "an old state" sync main
equal "both sides are equal" left disk
is "nothing is lost, nothing doubled" "$(count left)" 64

mt --state-dir "$T/conf/none" sync main
is "a state that cannot be made" "$code" 7
done_testing
