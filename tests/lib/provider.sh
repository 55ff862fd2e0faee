# Servers that behave as the large providers' do. Sourced by sh, after twin.sh.
#
#   provider NAME PROFILE [KEY=VALUE ...]     start tests/lib/provider.py
#   account_provider NAME SERVER [LINE ...]   an account on it, LINEs as in the
#                                             file; store NAME is its witness
#   commands SERVER PATTERN                   how many of them match (grep -E)
#   seen ACCOUNT                              folder, subject and flags of all
#   since_then SERVER                         those since the last time
#   agree NAME LEFT RIGHT                     a test that both accounts show the
#                                             same, but for $apart
#   there_and_back                            changes both ways: see below

# Folders that one side is to keep to itself (grep -E).
apart='^$'

provider() {
    _name=$1
    shift
    python3 "$TESTS/lib/provider.py" "$T/$_name" "$@" 2>"$T/$_name.log" &
    echo $! >"$T/$_name.relay"
    wait_for 10 test -s "$T/$_name.port"
}

account_provider() {
    cat >>"$T/conf" <<CONF
[account $1]
type = imap
host = localhost
port = $(cat "$T/$2.port")
user = ann
password = secret
CONF
    eval "store_$(variable "$1")=imap:$(cat "$T/$2.witness"):ann"
    shift 2
    [ $# -gt 0 ] || set -- "tls = none" "allow_plaintext = yes"
    printf '%s\n' "$@" "" >>"$T/conf"
}

commands() {
    grep -Ec -e "$2" "$T/$1.wire"
}

seen() {
    mail subjects "$1" | grep -Ev -e "$apart"
}

agree() {
    seen "$2" >"$T/left.seen"
    seen "$3" >"$T/right.seen"
    if [ -s "$T/left.seen" ]; then
        same "$1" "$T/left.seen" "$T/right.seen"
    else
        fail "$1" "$2 shows nothing"
    fi
}

# agree, and to the byte and the second where the provider keeps them.
alike() {
    agree "$1" "$2" "$3"
    [ "$bytes" = kept ] || return 0
    mail dump "$2" | grep -Ev -e "$apart" -e '\(folder\)$' >"$T/left.dump"
    mail dump "$3" | grep -v '(folder)$' >"$T/right.dump"
    same "$1, to the byte" "$T/left.dump" "$T/right.dump"
}

# What came to a server since the last call for it.
since_then() {
    _lines=$(cat "$T/$1.read" 2>/dev/null || echo 0)
    tail -n "+$((_lines + 1))" "$T/$1.wire"
    wc -l <"$T/$1.wire" >"$T/$1.read"
}

changes() {
    python3 "$TESTS/lib/mail.py" script "far=$(store far)" \
        "disk=$(store disk)"
}

# The account far, on a provider's server, and the Maildir disk: mail on both
# sides, then changes on both. Everything arrives, once, and a run without
# changes sends none. $bytes: kept | rebuilt by the server; $keyword: one that
# it can store.
there_and_back() {
    bytes=${bytes:-kept}
    keyword=${keyword:-\$Work}
    changes <<SCRIPT
far new INBOX far-1 far-2 far-3 far-4 far-5
far new Projects far-6 far-7
disk new INBOX disk-1 disk-2 disk-3
disk new Archive/2026 disk-4
far flag INBOX far-1 '+\\Seen' '+\\Flagged' '+$keyword'
disk flag INBOX disk-1 '+\\Answered'
SCRIPT
    runs 0 "the first run" sync main
    alike "all mail is on both sides" far disk
    is "all of it, once" "$(seen far | grep -c .)" "${total:-11}"

    changes <<SCRIPT
far new INBOX far-8
disk new INBOX disk-5
far flag INBOX disk-2 '+\\Seen'
disk flag INBOX far-2 '+\\Flagged' '+$keyword'
disk flag INBOX far-1 '-\\Flagged'
far delete INBOX far-3
disk delete INBOX disk-3
far move INBOX far-4 Projects
disk move INBOX far-5 Projects
SCRIPT
    runs 0 "changes on both sides" --json sync main
    alike "both sides are alike" far disk
    is "nothing is lost or doubled" "$(seen far | grep -c .)" "${total:-11}"
    has "what was moved is where it was moved to" "$T/left.seen" \
        '^Projects.far-5'

    since_then far >"$T/changes.wire"
    runs 0 "a run without changes" --json sync main
    nothing_done "does nothing"
    since_then far >"$T/idle.wire"
    hasnt "and sends no change" "$T/idle.wire" \
        ' (UID (STORE|EXPUNGE|MOVE|COPY)|APPEND|CREATE|DELETE|RENAME) '

    rm -r "$T/state"
    runs 0 "a run after the state was lost" --json sync main
    is "sends no message again" \
        "$(summary '.left.copied + .right.copied')" 0
    alike "nothing is lost or doubled then" far disk
}
