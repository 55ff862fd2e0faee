#!/bin/sh
# Goal of this test: a program renames a Maildir's files at full speed while
# mailtwin syncs it again and again. As long as they stay in their folder none
# is ever missing on the server, and nothing is deleted there; where they go
# into other folders, too, none is lost or doubled in the end.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir right
pair main left right "max_delete = off"
mail mkdir right INBOX Work Lists/dev
mail bulk right INBOX 600 300
mail bulk right Work 200 300
for file in "$T"/right/*/new/* "$T"/right/*/cur/*; do
    [ ! -e "$file" ] || mv "$file" "$(dirname "$file")/m-$(basename "$file")"
done
runs 0 "the first run" sync main
: >"$T/words"
round=0

# What messages there are, wherever and with whatever flags.
bodies() {
    mail dump "$1" | grep -v '(folder)$' | cut -f 2 | sort
}
bodies left >"$T/before"
is "all are there" "$(wc -l <"$T/before")" 800

for away in 0 0 0.05; do
    round=$((round + 1))
    python3 tests/lib/mover.py "$T/right" 3 "$round" m- "$away" \
        >"$T/renames" &
    mover=$!
    while kill -0 "$mover" 2>/dev/null; do
        mt --json sync main
        echo "$code" >>"$T/codes"
        [ "$code" -le 1 ] || grep -q 'could not be copied from' "$T/out" ||
            cat "$T/out" "$T/err" >>"$T/words"
        summary '.left.deleted + .right.deleted' >>"$T/deleted"
        bodies left | sort -u >"$T/now"
        sort -u "$T/before" | comm -23 - "$T/now" >>"$T/lost"
    done
    wait "$mover"
    echo "# $(cat "$T/renames") renames"
    if [ "$away" = 0 ]; then
        is "round $round: nothing was missing at any time" \
            "$(cat "$T/lost")" ""
        hasnt "round $round: nothing was deleted" "$T/deleted" '[1-9]'
    fi
    mt sync main
    runs 0 "round $round: a run when all is quiet" sync main
    equal "round $round: both sides are equal" left right
    bodies right >"$T/after"
    same "round $round: every message is there once" "$T/before" "$T/after"
done
echo "# $(sort "$T/codes" | uniq -c | tr -s ' \n' ' ')"
# A file that goes on to another folder between the look at it and its copy is
# held (3) until the next run, as it may be one that was moved.
hasnt "no run failed altogether" "$T/codes" '^[^013]'
is "and none held anything but what was moved on" "$(cat "$T/words")" ""
runs 0 "a run after it" --json sync main
nothing_done "does nothing"
done_testing
