# The suite of changes: what people do to mail, on both sides of the accounts
# "left" and "right", brought together by mailtwin. The same is done to a third
# store, the model, that mailtwin never sees: what is there in the end is what
# should be on both sides. Sourced by sh after twin.sh; each test of a server
# runs all of it.
#
#   suite                   after server and account_*; or suite_on KIND SIDE OTHER
#   suite_lacks="WORD ..."  what one of the servers cannot do:
#       keywords                keep keywords
#       dates                   keep INTERNALDATE
#       uidvalidity-SIDE        keep UIDVALIDITY when SIDE renames a folder: then
#                               its messages are moved, not the folder renamed
#       bare-parents            have a folder below one that is no mailbox: it
#                               makes one of it, which comes with the next run
#   suite_names="LINE ..."  odd names that the servers take, one a line; for a kind
#                           of server: suite_names_of KIND

suite_lacks=
suite_names='A & B
&-
(p)
{5}
#x
100%
%41
a~b
e/é
*star
back\slash
quote"d
😀'

lacks() {
    case " $suite_lacks " in
    *" $1 "*) return 0 ;;
    esac
    return 1
}

# The names that a server of each kind takes, of those that are odd.
suite_names_of() {
    case $1 in
    cyrus) cat <<'NAMES' ;;
A & B
&-
(p)
#x
a~b
e/é
*star
😀
NAMES
    courier) cat <<'NAMES' ;;
A & B
&-
(p)
{5}
#x
100%
%41
e/é
*star
back\slash
quote"d
NAMES
    mailutils) cat <<'NAMES' ;;
A & B
(p)
%41
a~b
e/é
NAMES
    esac
}

# Changes from standard input, as mail.py's "script" has them.
changes() {
    if ! python3 "$TESTS/lib/mail.py" script "left=$(store left)" \
        "right=$(store right)" "model=$(store model)"; then
        fail "the changes are made"
    fi
}

# What a side holds, without what the servers cannot keep.
side() {
    if lacks dates; then
        cut -f 1,2,4 "$T/$1.side"
    else
        cat "$T/$1.side"
    fi >"$T/$1.dump"
}

# Without folders that hold others: they are mailboxes on some servers only.
leaves() {
    awk -F '\t' '{ line[NR] = $0; name[NR] = $1 }
        $2 == "(folder)" {
            parent = $1
            while (sub(/\/[^\/]*$/, "", parent))
                is_parent[parent] = 1
        }
        END {
            for (i = 1; i <= NR; i++)
                if (line[i] !~ /\t\(folder\)$/ || !is_parent[name[i]])
                    print line[i]
        }' "$T/$1.dump" >"$T/$1.leaves"
}

# suite_round NAME: sync, and see that all is as it should be.
suite_round() {
    runs 0 "$1" --json --force-delete sync main
    cp "$T/out" "$T/round"
    if lacks bare-parents; then
        runs 0 "$1: the parents come, too" sync main
    fi
    changes <<END
left dump $T/left.side
right dump $T/right.side
model dump $T/model.side
END
    for _side in left right model; do
        [ -s "$T/$_side.side" ] || fail "$1: the dump of $_side is empty"
        side $_side
        leaves $_side
    done
    same "$1: both sides are equal" "$T/left.dump" "$T/right.dump"
    same "$1: and what they should be" "$T/left.leaves" "$T/model.leaves"
    runs 0 "$1: once more" --json sync main
    nothing_done "$1: nothing is left to do"
    cp "$T/round" "$T/out"
}

suite_messages() {
    changes <<'END'
# New on both sides, in old and in new folders.
left+model new INBOX left-new
right+model new INBOX right-new
left+model new Only/left left-deep
right+model new Only/right right-deep
# Flags and keywords, set and cleared; the same on both; other bits of one.
left+model flag INBOX s1-0 '+\Flagged' -later
right+model flag INBOX s1-5 '+\Answered' '+$Done'
left+model flag INBOX s1-10 '+\Seen' +one
right+model flag INBOX s1-10 '+\Draft' +two
left+right+model flag Sent s1-1 '+\Answered'
# Deletions, on both, and against a flag: the deletion wins.
left+model delete Lists/dev s1-2 s1-7
right+model delete Lists/users s1-3
right flag Lists/dev s1-12 '+\Flagged'
left+model delete Lists/dev s1-12
left+right+model delete Lists/users s1-8
END
    suite_round "new mail, flags, deletions"
    changes <<'END'
right+model delete INBOX left-new
left+model flag INBOX right-new '+\Seen' +later
right+model flag Only/left left-deep '+\Seen'
left+model flag INBOX s1-10 -one
right+model flag INBOX s1-10 -two '-\Seen'
# A move, a move of what is flagged elsewhere, and a copy.
left+model move INBOX s1-20 Sent
right+model move INBOX s1-15 "Bücher & Öl"
left+model flag "Bücher & Öl" s1-4 '+\Flagged'
right+model move "Bücher & Öl" s1-4 Sent
left+model copy Sent s1-6 Lists/dev
END
    suite_round "moves, a copy and flags"
}

# Their octets must not cross the wire: 40 messages of 5000.
suite_moves() {
    changes <<'END'
left+model bulk Piles/one 20 5000
left+model new Piles/one stays
right+model new Other stays-too
left+model bulk Piles/Öl 20 5000
END
    suite_round "many more"
    changes <<'END'
left+model move Piles/one 'bulk-*' Other
left+model rename Piles/Öl "Heaps/of & oil"
END
    suite_round "moved and renamed on the left"
    suite_wire right left
    changes <<'END'
right+model move Other 'bulk-*' Piles/one
right+model rename Heaps Piles/Heaps
END
    suite_round "moved and renamed on the right"
    suite_wire left right
}

# suite_wire TO FROM: what was done on FROM was done on TO by its name alone.
suite_wire() {
    if lacks "uidvalidity-$2"; then
        is "all 40 are moved on the $1" "$(summary ".$1.moved")" 40
    else
        is "20 are moved on the $1" "$(summary ".$1.moved")" 20
        # One, and the one above it where that is a mailbox, too.
        ok "the folder is renamed there" \
            test "$(summary ".$1.folders_renamed")" -ge 1
    fi
    is "none is copied" "$(summary '.left.copied + .right.copied')" 0
    _octets=$(summary ".wire.$1.sent")
    # Without the dates it takes the octets to know a message again; but they
    # are not sent.
    lacks dates || _octets=$(summary ".wire.$2.received + .wire.$1.sent")
    ok "$_octets octets for 200000 of mail" test "$_octets" -lt 40000
}

suite_folders() {
    {
        printf '%s\n' "$suite_names" | sed "s/.*/left+model new '&' odd/"
        cat <<'END'
right+model mkdir Empty/one
left+model mkdir Empty/two
left+model new INBOX/child in-inbox
right+model rmdir Piles/one
END
    } | changes
    suite_round "folders of many names"
    changes <<'END'
left+model rmdir Empty/one
right+model new Empty/two not-empty
END
    suite_round "folders go"
}

suite() {
    account_maildir model
    pair main left right
    if lacks keywords; then
        export KEYWORDS=no
    fi
    changes <<'END'
model mkdir INBOX Sent
left+model seed 25
END
    suite_round "the first run"
    suite_messages
    suite_moves
    suite_folders
}

# suite_on KIND SIDE OTHER: all of it, with a server of KIND as SIDE of the pair
# and OTHER, imap (a Dovecot) or maildir, as the other one.
suite_on() {
    case $2 in
    left) _twin=right ;;
    right) _twin=left ;;
    esac
    server one "kind=$1"
    suite_names=$(suite_names_of "$1")
    account_imap "$2" one ann
    case $3 in
    imap)
        server two storage=mdbox
        account_imap "$_twin" two bob
        ;;
    maildir)
        account_maildir "$_twin"
        # Mail is put into it before the first run, which would make it.
        [ "$_twin" = right ] || mkdir "$T/left"
        ;;
    esac
    suite
}
