#!/bin/sh
# See mailtwin work: a private, throw-away Dovecot with sample mail, the main
# job run on it, and an account of what happened. Leaves nothing behind.
cd "$(dirname "$0")/../.." || exit 1
TESTS=tests
. tests/lib/dovecot.sh

demo=$(mktemp -d /tmp/mtXXXXXX) || exit 1
chmod 711 "$demo"
demo_end() {
    dovecot_stop "$demo/server"
    rm -rf "$demo"
}
trap demo_end EXIT
trap 'exit 1' INT TERM HUP

bold= plain=
if [ -t 1 ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

say() {
    printf '\n%s%s%s\n' "$bold" "$1" "$plain"
    shift
    [ $# = 0 ] || printf '%s\n' "$@"
}

mail() {
    _command=$1 _store=$2
    shift 2
    case $_store in
    server) _store=imap:$(cat "$demo/server/imap_port"):you ;;
    disk) _store=maildir:$demo/Mail ;;
    esac
    python3 tests/lib/mail.py "$_command" "$_store" "$@" || exit
}

# Run mailtwin and show both the command and what it says.
twin() {
    printf '\n%s    $ mailtwin %s%s\n' "$bold" "$*" "$plain"
    _code=0
    ./mailtwin -c "$demo/mailtwin.conf" --state-dir "$demo/state" "$@" \
        >"$demo/out" 2>&1 || _code=$?
    if [ "$(wc -l <"$demo/out")" -gt 16 ]; then
        sed -n '1,8s/^/    /p' "$demo/out"
        echo "    ... and $(($(wc -l <"$demo/out") - 9)) lines more, then:"
        tail -n 1 "$demo/out" | sed 's/^/    /'
    else
        sed 's/^/    /' "$demo/out"
    fi
    echo "    (exit status $_code)"
    [ "$_code" = "${want:-0}" ] || {
        echo "This should have been ${want:-0}. Sorry, the demo ends here."
        exit 1
    }
}

# What both sides hold, and that it is the same.
compare() {
    mail dump server >"$demo/server.dump"
    mail dump disk >"$demo/disk.dump"
    if cmp -s "$demo/server.dump" "$demo/disk.dump"; then
        echo "    Looked at with another mail client: both sides hold the" \
            "same $(grep -vc '(folder)$' "$demo/disk.dump") messages in" \
            "$(grep -c '(folder)$' "$demo/disk.dump") folders," \
            "byte for byte, with the same dates and flags."
    else
        echo "    The two sides differ:"
        diff "$demo/server.dump" "$demo/disk.dump" | sed 's/^/    /'
        exit 1
    fi
}

set_up() {
    dovecot_start "$demo/server" || exit
    mail add server INBOX '' 1768205643 <tests/demo/mail/welcome.eml
    mail add server INBOX '\Seen \Flagged' 1768672964 \
        <tests/demo/mail/invoice.eml
    mail add server INBOX '\Seen \Answered' 1770406270 \
        <tests/demo/mail/books.eml
    mail add server INBOX '' 1770521613 <tests/demo/mail/spam.eml
    mail seed server 300
    {
        dovecot_account "$demo/server" work you
        cat <<CONF
[account laptop]
type = maildir
path = $demo/Mail

[pair work]
left = work
right = laptop
CONF
    } >"$demo/mailtwin.conf"
    chmod 600 "$demo/mailtwin.conf"
}

say "1. A mail server of your own" \
    "A Dovecot starts on a free port of this machine, with an account that" \
    "holds 304 messages in five folders. It is gone again when this ends."
set_up
mail folders server | sed 's/^/    /'

say "2. The configuration" \
    "Two accounts - the server and a Maildir on this disk - and a pair that" \
    "keeps them in step:"
sed 's/^/    /' "$demo/mailtwin.conf"

say "3. What would happen?" \
    "A plan says what a run would do, and does nothing. (Exit status 8" \
    "means: there is something to do.)"
want=8 twin plan

say "4. The first run" \
    "All mail is copied to the disk. The connection is encrypted, and the" \
    "server's certificate was verified."
twin sync
compare

say "5. The second run" \
    "Nothing has changed, so no folder is even opened: this takes the same" \
    "moment with a million messages."
twin sync

say "6. Life goes on, on both sides" \
    "On the server: a new message, and the spam is deleted." \
    "On the disk: the welcome is read and starred, the invoice is filed in a" \
    "new folder, and you wrote a message yourself."
mail new server INBOX lunch-today
mail delete server INBOX won
mail flag disk INBOX Welcome '+\Seen' '+\Flagged'
mail move disk INBOX invoice Invoices/2026
mail new disk Sent my-answer
twin -v sync
compare

say "7. A disaster that is none" \
    "All files in the Maildir vanish, as if the disk had not been mounted." \
    "A careless program would now empty the server. (Exit status 3 means:" \
    "held back by a guard.)"
cp -a "$demo/Mail" "$demo/Backup"
find "$demo/Mail" -path '*/cur/*' -type f -delete
find "$demo/Mail" -path '*/new/*' -type f -delete
want=3 twin sync
say "   With the files back, all is well:"
rm -rf "$demo/Mail"
mv "$demo/Backup" "$demo/Mail"
twin sync
compare

say "8. How are things?"
twin status

say "That was it. The server is stopped, and nothing is left of it." \
    "Next: README.md, then sample.conf for your own accounts."
