#!/bin/sh
# Goal of this test: folders that were renamed in a chain, swapped, or put into
# another parent, on either side or on both, are renamed on the other side; no
# octet of a body is sent, and a run that is killed in the middle goes on.
. tests/lib/twin.sh

server one
server two storage=mdbox separator=.
account_imap ann one ann
account_maildir disk
pair ann ann disk
account_imap bob one bob
account_imap carol two carol
pair bob bob carol
account_imap eve one eve
account_maildir plus maildir++
pair eve eve plus

# swap ACCOUNT ONE OTHER
swap() {
    mail rename "$1" "$2" aside
    mail rename "$1" "$3" "$2"
    mail rename "$1" aside "$3"
}

# renamed NAME PAIR: a run of --json has renamed and has sent no body.
renamed() {
    is "$1: nothing is copied" \
        "$(summary '.left.copied + .right.copied')" 0
    is "$1: nothing is moved or deleted" "$(summary '.left.moved +
        .right.moved + .left.deleted + .right.deleted')" 0
    hasnt "$1: no body is asked for, and none is added" "$T/err" \
        ' C: .*(BODY.PEEK\[\]|[0-9] APPEND )'
    equal "$1: both sides are equal" "$left" "$right"
    runs 0 "$1: a run after it" --json sync "$2"
    nothing_done "$1: does nothing"
}

for pair in ann:disk bob:carol eve:plus; do
    left=${pair%:*} right=${pair#*:}
    mail bulk "$left" Red 13 3000
    mail bulk "$left" Red/Deep 12 3000
    mail bulk "$left" Blue 14 3000
    mail bulk "$left" Green 15 3000
    mail mkdir "$left" Empty
    runs 0 "$left: the first run" sync "$left"

    swap "$left" Blue Green
    runs 8 "$left: a plan of a swap" plan "$left"
    runs 0 "$left: a swap on the left" -vv --json sync "$left"
    is "$left: both are renamed" "$(summary .right.folders_renamed)" 2
    renamed "$left: a swap" "$left"

    swap "$right" Blue Green
    runs 0 "$left: a swap on the right" -vv --json sync "$left"
    is "$left: both are renamed" "$(summary .left.folders_renamed)" 2
    renamed "$left: a swap back" "$left"

    # A chain, a parent whose child goes along, and an empty folder.
    mail rename "$left" Green Yellow
    mail rename "$left" Blue Green
    mail rename "$left" Empty Blue
    runs 0 "$left: a chain" -vv --json sync "$left"
    is "$left: three are renamed" "$(summary .right.folders_renamed)" 3
    renamed "$left: a chain" "$left"

    if [ "$right" != plus ]; then # its children would have to be renamed, too
        mail rename "$right" Red Yellow/Red
        mail rename "$left" Green Blue/Green
        runs 0 "$left: into other parents, on both sides" -vv --json sync \
            "$left"
        renamed "$left: into other parents" "$left"
    fi

    # The same new name on both sides; different ones: the left wins.
    mail rename "$left" Yellow Orange
    mail rename "$right" Yellow Orange
    runs 0 "$left: the same new name on both sides" -vv --json sync "$left"
    is "$left: nothing is renamed" "$(summary '.left.folders_renamed +
        .right.folders_renamed')" 0
    renamed "$left: the same new name" "$left"
    mail rename "$left" Orange Here
    mail rename "$right" Orange There
    runs 0 "$left: row 12: other names on both sides" -vv --json sync "$left"
    renamed "$left: row 12: other names" "$left"
    ok "$left: the left one wins" sh -c "python3 tests/lib/mail.py folders \
        '$(store "$right")' | grep -qx Here"

    # Row 11, and row 12 as row 5.
    mail rename "$left" Here Away
    mail new "$right" Here late-mail
    runs 0 "$left: row 11: new mail in the old name" --json sync "$left"
    is "$left: only it is copied" "$(summary .left.copied)" 1
    ok "$left: it goes along" mail raw "$left" Away late-mail
    equal "$left: both sides are equal" "$left" "$right"
    mail rename "$left" Away Lives/on
    [ "$right" = carol ] && mail rmdir "$right" Away
    [ "$right" = disk ] && mail rmdir "$right" Away
    if [ "$right" != plus ]; then
        runs 0 "$left: row 12: renamed here, deleted there" --json sync "$left"
        ok "$left: it lives on, on both sides" mail raw "$right" Lives/on \
            late-mail
        equal "$left: both sides are equal" "$left" "$right"
        runs 0 "$left: a run after it" --json sync "$left"
        nothing_done "$left: does nothing"
    fi
done

# Out of the pair: not a deletion.
account_imap gil one gil
account_maildir some
pair some gil some 'folders = *, !old/*'
mail bulk gil Kept 3 300
runs 0 "the first run" sync some
mail rename gil Kept old/Kept
runs 3 "a folder that leaves the pair by its name" sync some
has "is named" "$T/err" 'Kept.*old/Kept'
is "and its twin is left alone" "$(count some)" 3
runs 3 "each time" sync some
mail rename gil old/Kept Again
runs 0 "until it is back" --json sync some
is "without a copy" "$(summary '.left.copied + .right.copied')" 0
equal "both sides are equal" gil some

# Killed in the middle of a swap, at calls that change anything.
PLAIN=${PLAIN_MAILTWIN:-./mailtwin}
killed() {
    timeout 120 "$TOOLS/killat" "-$1" "$2" "$PLAIN" -c "$T/conf" \
        --state-dir "$T/state" sync "$3" >"$T/out" 2>"$T/err"
}
account_imap hal one hal
account_maildir local
pair kill hal local
account_imap ida one ida
account_imap jon two jon
pair kill2 ida jon
killed c "$T/calls" kill
if [ $? = 125 ]; then
    skip "killed in the middle of a swap" "ptrace is not allowed here"
    done_testing
    exit
fi
for pair in kill:hal:local kill2:ida:jon; do
    name=${pair%%:*} right=${pair##*:}
    left=${pair#*:} left=${left%:*}
    mail bulk "$left" A 5 500
    mail bulk "$left" A/X 5 500
    mail bulk "$left" B 5 500
    mt sync "$name"
    swap "$left" A B
    killed c "$T/calls" "$name"
    calls=$(cat "$T/calls")
    equal "$name: under the tracer a swap is a swap" "$left" "$right"
    step=0 bad=
    while [ $step -lt "${KILLS:-5}" ]; do
        at=$((1 + calls * step / ${KILLS:-5} + step * 7 % 5))
        how=$(echo "b a" | cut -d ' ' -f $((1 + step % 2)))
        swap "$left" A B
        killed "$how" "$at" "$name"
        mt --json sync "$name"
        [ "$code:$(summary '.left.copied + .right.copied + .left.moved +
            .right.moved')" = 0:0 ] || bad="$bad $how$at:exit-$code"
        mail dump "$left" >"$T/want"
        mail dump "$right" >"$T/got"
        cmp -s "$T/want" "$T/got" || bad="$bad $how$at:differs"
        step=$((step + 1))
    done
    is "$name: killed at ${KILLS:-5} of $calls calls, the next run goes on" \
        "$bad" ""
done
done_testing
