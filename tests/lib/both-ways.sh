# Changes on both sides, brought together on a server of one tier. The same
# changes are made on a third store, the model, that mailtwin never sees: what
# is there in the end is what should be on both sides. Sourced by sh.

# Apply one change to an account and to the model.
change() {
    _verb=$1 _where=$2
    shift 2
    mail "$_verb" "$_where" "$@"
    mail "$_verb" model "$@"
}

first_round() {
    # New on both sides, in old and in new folders.
    change new "$1" INBOX left-new
    change new "$2" INBOX right-new
    change new "$1" "Only/left" left-deep
    change new "$2" "Only/right" right-deep
    # Flags and keywords, set and cleared; twice the same; different bits of
    # one message.
    change flag "$1" INBOX s1-0 '+\Flagged' -later
    change flag "$2" INBOX s1-5 '+\Answered' '+$Done'
    change flag "$1" INBOX s1-10 '+\Seen' +one
    change flag "$2" INBOX s1-10 '+\Draft' +two
    mail flag "$1" Sent s1-1 '+\Answered'
    change flag "$2" Sent s1-1 '+\Answered'
    # Deletions, and a deletion against a flag: the deletion wins.
    change delete "$1" Lists/dev s1-2 s1-7
    change delete "$2" Lists/users s1-3
    mail flag "$2" Lists/dev s1-12 '+\Flagged'
    change delete "$1" Lists/dev s1-12
    mail delete "$1" Lists/users s1-8
    change delete "$2" Lists/users s1-8
}

second_round() {
    change delete "$2" INBOX left-new
    change flag "$1" INBOX right-new '+\Seen' +later
    change move "$1" INBOX s1-20 Sent
    change move "$2" INBOX s1-25 "Bücher & Öl"
    change copy "$1" Sent s1-6 Lists/dev
    change flag "$2" "Only/left" left-deep '+\Seen'
    change flag "$1" INBOX s1-10 -one
    change flag "$2" INBOX s1-10 -two '-\Seen'
}

# both_ways TIER KIND: KIND of the right side is maildir or imap.
both_ways() {
    server one "tier=$1"
    account_imap left one ann
    if [ "$2" = maildir ]; then
        account_maildir right
    else
        server two "tier=$1" storage=mdbox
        account_imap right two bob
    fi
    account_maildir model
    pair main left right
    mail mkdir model INBOX Sent
    mail seed left 60
    mail seed model 60

    runs 0 "the first run" sync main
    equal "both sides are equal" left right
    for _round in first second; do
        "${_round}_round" left right
        runs 0 "the $_round round of changes" --json sync main
        equal "both sides are equal" left right
        equal "and what they should be" left model
        runs 0 "a run after it" --json sync main
        nothing_done "does nothing"
    done
}
