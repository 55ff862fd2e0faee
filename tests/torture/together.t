#!/bin/sh
# Goal of this test: two to eight runs of one pair at once, some of them killed
# at any moment, do what one run does: nothing is lost, nothing is doubled, each
# says whether it had its turn. Two machines that keep a state each must not run
# at once on one pair: what they double then is counted, and nothing is lost.
. tests/lib/twin.sh

rounds=${ROUNDS:-${TORTURE:+60}}
rounds=${rounds:-6}

server one
account_imap left one ann
account_maildir right
pair main left right "max_delete = off"
account_maildir model
mail mkdir left A B
mail mkdir model A B INBOX
runs 0 "the first run" sync main

# The same changes on a side and on the model, other ones in each round.
changes() {
    for _side in left right; do
        for _n in 1 2 3 4 5 6; do
            echo "$_side+model new INBOX $1-$_side-$_n"
        done
        [ "$1" -gt 1 ] || continue
        echo "$_side+model delete INBOX $(($1 - 1))-$_side-1"
        echo "$_side+model move INBOX $(($1 - 1))-$_side-2 A"
        printf '%s\n' "$_side+model flag INBOX $(($1 - 1))-$_side-3 '+\\Flagged'"
    done
}

# Start one run more in the background, told apart by its number.
begin() {
    _number=$1
    shift
    {
        _code=0
        timeout 120 "$MAILTWIN" -c "$T/conf" --state-dir "$T/state" "$@" \
            >"$T/run$_number.out" 2>"$T/run$_number.err" || _code=$?
        echo "$_code $*" >"$T/run$_number.code"
    } &
}

lost=0 doubled=0 processes=0 killed=0 refused=0 bad=
# What is on one side and not in the model, or there more often.
judge() {
    for _side in left right; do
        mail dump $_side | grep -v '(folder)$' | sort >"$T/$_side.dump"
        mail dump model | grep -v '(folder)$' | sort >"$T/model.dump"
        lost=$((lost + $(comm -13 "$T/$_side.dump" "$T/model.dump" | wc -l)))
        doubled=$((doubled + $(comm -23 "$T/$_side.dump" "$T/model.dump" |
            wc -l)))
    done
}

round=1
while [ $round -le "$rounds" ]; do
    changes $round >"$T/script"
    mail_stores="left=$(store left) right=$(store right) model=$(store model)"
    # shellcheck disable=SC2086 # three words
    python3 "$TESTS/lib/mail.py" script $mail_stores <"$T/script" ||
        bad="$bad round-$round:script"
    rm -f "$T"/run*.code
    many=$((2 + round % 7)) n=1
    while [ $n -le $many ]; do
        case $((n % 4)) in
        3) begin $n sync main ;;
        *) begin $n sync --wait 100 main ;;
        esac
        n=$((n + 1))
    done
    if [ $((round % 3)) = 0 ]; then
        # Whoever has the lock: its number is in the file.
        wait_for 10 test -s "$T/state/main/lock"
        kill -9 "$(tr -cd 0-9 <"$T/state/main/lock")" 2>/dev/null &&
            killed=$((killed + 1))
    fi
    wait
    processes=$((processes + many))
    for file in "$T"/run*.code; do
        case $(cat "$file") in
        "0 "*) ;;
        "6 sync main") refused=$((refused + 1)) ;;
        "137 "*) ;;
        *) bad="$bad round-$round:$(tr ' ' - <"$file")" ;;
        esac
    done
    mt sync main
    [ "$code" = 0 ] || bad="$bad round-$round:then-$code"
    judge
    round=$((round + 1))
done
is "$processes runs, $killed of them killed, $refused had to go: all end well" \
    "$bad" ""
is "nothing was lost" "$lost" 0
is "nothing was doubled" "$doubled" 0
runs 0 "a run after it" --json sync main
nothing_done "does nothing"
echo "# row: several runs at once, one state | $processes runs in $rounds rounds" \
    "| lost $lost | doubled $doubled | $killed killed | $refused gave way"

# Two machines: the same two sides, a state each.
account_imap far one bob
pair twice left far "max_delete = off"
runs 0 "one machine" sync twice
both() {
    timeout 120 "$MAILTWIN" -c "$T/conf" --state-dir "$T/$1" sync twice \
        >"$T/$1.out" 2>"$T/$1.err"
}
both elsewhere
is "the other machine finds all in step" $? 0
subjects() {
    mail subjects "$1" | cut -f 2 | sort
}
subjects far >"$T/before"
subjects left >"$T/have"
same "and doubles nothing" "$T/have" "$T/before"
mail bulk left INBOX 60 400
both state &
first=$!
both elsewhere
wait $first
both state
both elsewhere
subjects left >"$T/have"
subjects far >"$T/have-far"
same "two machines at once: both sides are equal in the end" \
    "$T/have" "$T/have-far"
{ cat "$T/before" && seq -f 'bulk-%g' 0 59; } | sort -u >"$T/want"
missing=$(sort -u "$T/have" | comm -13 - "$T/want" | wc -l)
is "and nothing is lost" "$missing" 0
twice=$(sort "$T/have" | uniq -d | wc -l)
echo "# row: two machines at once, a state each | 60 new messages" \
    "| lost $missing | $twice are there twice: not to be done"
done_testing
