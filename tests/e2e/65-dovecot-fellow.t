#!/bin/sh
# Goal of this test: a Dovecot works on the very Maildir that mailtwin keeps, in
# both layouts, while mailtwin syncs it with another server again and again and
# somebody works there, too. Nothing is lost, doubled or brought back.
. tests/lib/twin.sh

steps=${STEPS:-60}

# Both programs are one user, as on a desk: where the tests run as root, the
# server may not be root, so that mailtwin is not either.
if [ "$(id -u)" = 0 ]; then
    cp "$MAILTWIN" "$T/mailtwin" && chmod 755 "$T/mailtwin"
    cat >"$T/as-user" <<SH
#!/bin/sh
umask 077
exec setpriv --reuid=nobody --regid=$(id -gn nobody) --clear-groups \
    "$T/mailtwin" "\$@"
SH
    chmod 755 "$T/as-user"
    MAILTWIN=$T/as-user
fi

# Syncs until told to stop; every exit status into a file.
sync_on() {
    while [ ! -e "$T/stop" ]; do
        mt sync "$1"
        echo "$code" >>"$T/codes"
        [ "$code" = 0 ] || cat "$T/err" >>"$T/words"
    done
}

# fellow NAME ACCOUNT: a user at work on that account.
fellow() {
    python3 tests/lib/fellow.py work "$(store "$2")" "$1" "$steps" "$3" \
        >"$T/$1.want" 2>"$T/$1.err" || echo failed >"$T/$1.want"
}

listed() {
    python3 tests/lib/fellow.py list "$(store "$1")" "$2"
}

together() {
    name=$1 layout=$2 location=$3
    mkdir "$T/$name"
    [ "$(id -u)" != 0 ] || chown -R nobody "$T/$name"
    server "on-$name" extra="mail_location = maildir:$T/$name/disk$location"
    : >"$T/conf"
    rm -rf "$T/state" "$T/stop" "$T/codes" "$T/words"
    mkdir "$T/state"
    account_imap left far "$name"
    account_maildir disk "$layout" "$name/disk"
    pair main left disk "max_delete = off"
    [ "$(id -u)" != 0 ] || chown -R nobody "$T/conf" "$T/state"
    eval "store_near=imap:$(cat "$T/on-$name/imap_port"):desk"
    mail mkdir left Work Lists/dev
    runs 0 "$name: the first run" sync main

    sync_on main &
    syncing=$!
    fellow far left 1 &
    far=$!
    fellow near near 2
    wait "$far"
    touch "$T/stop"
    wait "$syncing"
    is "$name: the users found their mail" "$(cat "$T/far.err" "$T/near.err")" ""
    echo "# $(sort "$T/codes" | uniq -c | tr -s ' \n' ' ')runs meanwhile"
    ok "$name: runs meanwhile" test -s "$T/codes"
    hasnt "$name: none of them failed" "$T/codes" '^[^01]'

    runs 0 "$name: a run when all is quiet" sync main
    runs 0 "$name: and another" --json sync main
    nothing_done "$name: which does nothing"
    for who in far near; do
        for side in left disk near; do
            listed "$side" "$who" >"$T/got"
            same "$name: what $who has left is on $side" "$T/$who.want" "$T/got"
        done
    done
    equal "$name: both sides are equal" left disk
    equal "$name: the Dovecot shows the same" disk near
    hasnt "$name: it has nothing to complain of" "$T/on-$name/log" \
        'Error|Corrupt|Panic'
    dovecot_stop "$T/on-$name"
}

server far
together nested nested ":LAYOUT=fs:UTF-8:INBOX=$T/nested/disk/INBOX"
together plusplus maildir++ ":UTF-8"
done_testing
