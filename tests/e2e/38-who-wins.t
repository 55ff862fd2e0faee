#!/bin/sh
# Goal of this test: where both sides changed, it comes out as the table of
# docs/who-wins.md says: each of its rows, by its number, is acted out here,
# whichever side does what.
. tests/lib/twin.sh

# changes ONE OTHER: what is done before the first run (before) and then, on
# ONE and on OTHER, row by row. A message is named after its row.
before() {
    mail new "$1" A r1-both r1-apart r1-clear r3-flag r4-both r5-moved \
        r6-moved r7-both r8-two r9-copied r9-deleted r9-flagged r16-pad
    mail flag "$1" A r1-clear '+\Seen' '+\Flagged'
    for _n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
        mail new "$1" A "pad-$_n"
    done
    mail new "$1" X pad-x
    mail new "$1" Y pad-y
    mail new "$1" F r10-old-1 r10-old-2
    mail new "$1" Renamed r11-old-1 r11-old-2
    mail new "$1" Kept r12-deleted-1 r12-deleted-2
    mail new "$1" Named r12-named-1 r12-named-2
    # Rows without a base: the same mail on both sides from the start.
    printf 'Subject: r1-union\n\nx\n' >"$T/union"
    printf 'Subject: r1-one\n\nx\n' >"$T/one-deleted"
    printf 'Subject: r1-two\n\nx\n' >"$T/two-deleted"
    add_both union '\Seen' '\Flagged $Work'
    add_both one-deleted '\Deleted' ''
    add_both two-deleted '\Deleted' '\Deleted'
    # Row 16: twins.
    printf 'Subject: r16-twin\n\nsame\n' >"$T/twin"
    add "$1" A '' twin
    add "$1" A '' twin
    add "$1" A '' twin
}

# add ACCOUNT FOLDER FLAGS FILE: as local programs put it there: LF in a
# Maildir, CRLF on a server.
add() {
    case $(store "$1") in
    imap*) sed 's/$/\r/' "$T/$4" | mail add "$1" "$2" "$3" 1000000000 ;;
    *) mail add "$1" "$2" "$3" 1000000000 <"$T/$4" ;;
    esac
}

add_both() {
    add "$one" A "$2" "$1"
    add "$two" A "$3" "$1"
}

changes() {
    # 1: each flag by itself.
    mail flag "$1" A r1-both '+\Flagged' '+one'
    mail flag "$2" A r1-both '+\Flagged' '+two'
    mail flag "$1" A r1-apart '+\Answered'
    mail flag "$2" A r1-apart '+\Draft'
    mail flag "$1" A r1-clear '-\Seen'
    mail flag "$2" A r1-clear '+\Answered'
    # 3: a flag, and a deletion.
    mail flag "$1" A r3-flag '+\Flagged'
    mail delete "$2" A r3-flag
    # 4: two deletions.
    mail delete "$1" A r4-both
    mail delete "$2" A r4-both
    # 5: a move, and a deletion.
    mail move "$1" A r5-moved X
    mail delete "$2" A r5-moved
    # 6: a move, and a flag.
    mail move "$1" A r6-moved X
    mail flag "$2" A r6-moved '+\Flagged' '+kept'
    # 7: the same move.
    mail move "$1" A r7-both X
    mail move "$2" A r7-both X
    # 8: two different moves.
    mail move "$1" A r8-two X
    mail move "$2" A r8-two Y
    # 9: a copy, and anything.
    mail copy "$1" A r9-copied X
    mail copy "$1" A r9-deleted X
    mail delete "$2" A r9-deleted
    mail copy "$1" A r9-flagged X
    mail flag "$2" A r9-flagged '+\Answered'
    # 10: new mail in a folder that is deleted.
    mail new "$1" F r10-new
    mail rmdir "$2" F
    # 11: new mail under a folder's old name.
    mail rename "$1" Renamed Elsewhere
    mail new "$2" Renamed r11-new
    # 12: a rename, and a deletion or another name.
    mail rename "$1" Kept Survivor
    mail rmdir "$2" Kept
    mail rename "$1" Named Left-name
    mail rename "$2" Named Right-name
    # 16: one of three twins.
    mail drop "$1" A r16-twin
}

# came_out SUBJECT LINE ...: the message is there just so, on both sides: a LINE
# is a folder and the flags.
came_out() {
    _subject=$1
    shift
    printf '%s\n' "$@" | sed '/^$/d' >"$T/want"
    awk -F '\t' -v subject="$_subject" '$2 == subject {
        print $1 ($3 == "" ? "" : " " $3) }' "$T/subjects" >"$T/got"
    same "$label: row $_row: $_subject" "$T/want" "$T/got"
}

# What must be in the end; $winner is X or Y.
comes_out() {
    _row=1
    came_out r1-both 'A \Flagged one two'
    came_out r1-apart 'A \Answered \Draft'
    came_out r1-clear 'A \Answered \Flagged'
    came_out r1-union 'A $Work \Flagged \Seen'
    came_out r1-one 'A'
    came_out r1-two 'A \Deleted'
    _row=3
    came_out r3-flag ''
    _row=4
    came_out r4-both ''
    _row=5
    came_out r5-moved X
    _row=6
    came_out r6-moved 'X \Flagged kept'
    _row=7
    came_out r7-both X
    _row=8
    came_out r8-two "$winner"
    _row=9
    came_out r9-copied A X
    came_out r9-deleted X
    came_out r9-flagged 'A \Answered' X
    _row=10
    came_out r10-new F
    came_out r10-old-1 ''
    came_out r10-old-2 ''
    _row=11
    came_out r11-old-1 Elsewhere
    came_out r11-old-2 Elsewhere
    is "$label: row 11: r11-new" "$(awk -F '\t' '$2 == "r11-new"' \
        "$T/subjects" | grep -cE '^(Renamed|Elsewhere)')" 1
    _row=12
    came_out r12-deleted-1 Survivor
    came_out r12-deleted-2 Survivor
    came_out r12-named-1 "$name"
    came_out r12-named-2 "$name"
    _row=16
    came_out r16-twin A A
}

# play ONE OTHER PAIR: the whole table, ONE first.
play() {
    one=$1 two=$2 label="$1 against $2"
    before "$one" "$two"
    runs 0 "$label: the first run" sync "$3"
    equal "$label: both sides are equal" "$one" "$two"
    changes "$one" "$two"
    runs 0 "$label: a run after both sides changed" --json sync "$3"
    equal "$label: both sides are equal again" "$one" "$two"
    mail subjects "$one" >"$T/subjects"
    comes_out
    runs 0 "$label: a run after it" --json sync "$3"
    nothing_done "$label: does nothing"
}

server near
server far storage=mdbox tier=condstore
account_imap ann near ann
account_maildir disk
pair ann-disk ann disk
account_imap bob near bob
account_maildir copy
pair bob-copy copy bob 'on_conflict = right'
account_imap carol near carol
account_imap dave far dave
pair carol-dave carol dave

winner=X name=Left-name
play ann disk ann-disk
play bob copy bob-copy
winner=Y name=Right-name
play dave carol carol-dave

done_testing
