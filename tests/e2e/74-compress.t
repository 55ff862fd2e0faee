#!/bin/sh
# Goal of this test: what goes over the wire is compressed where that is asked
# for, or where the link was measured to be slow, and nowhere else; and what
# arrives is the same.
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh

server plain tier=plain compress=yes
server dovecot compress=yes
server without

# A line more for the account that was added last.
also() {
    printf '%s\n\n' "$1" >>"$T/conf"
}

# A run of the pair NAME through the relay NAME: its bytes both ways are in
# $T/NAME.bytes.
counted() {
    : >"$T/$2.stats"
    runs 0 "$2: $1" -vv --json sync "$2"
    wait_for 10 all_over "$2"
    awk '{ n += $1 + $2 } END { print n + 0 }' "$T/$2.stats" >"$T/$2.bytes"
    cp "$T/err" "$T/$2.log"
}

# Has the relay seen the end of all connections?
all_over() {
    test "$(wc -l <"$T/$1.stats")" -ge "$(summary .wire.left.connections)"
}

# half WHAT: tight took half of the bytes of loose, or less.
half() {
    _tight=$(cat "$T/tight.bytes") _loose=$(cat "$T/loose.bytes")
    ok "$1: half of the bytes at most: $_tight of $_loose" \
        test $((2 * _tight)) -lt "$_loose" -a "$_tight" -gt 0
}

account_imap direct plain ann
for how in loose tight; do
    relay "$how" plain -s "$T/$how.stats"
    account_relay "$how" "$how" ann
    [ $how = tight ] && also 'compress = yes' || also 'compress = no'
    account_maildir "disk-$how"
    pair "$how" "$how" "disk-$how"
done
mail seed direct 40
mail bulk direct INBOX 500 1000
for how in loose tight; do
    counted pull "$how"
    equal "$how: all is there" direct "disk-$how"
done
half pull
has "compress = yes: it is asked for" "$T/tight.log" 'C: a[0-9]+ COMPRESS DEFLATE'
has "and shown" "$T/tight.log" 'compressed: .* received as'
hasnt "compress = no: it is not" "$T/loose.log" 'C: .*COMPRESS'

echo 'Subject: one more' | mail add direct INBOX
for how in loose tight; do
    counted "one new, listed with all others" "$how"
done
half listing

account_imap tls dovecot bob
also 'compress = yes'
account_maildir disk-tls
pair tls tls disk-tls
mail seed disk-tls 30
mail bulk disk-tls INBOX 30 40000
runs 0 "within TLS: push" -vv sync tls
equal "all is there" tls disk-tls
has "compressed" "$T/err" 'compressed: [0-9]+ bytes sent as'
mail bulk tls INBOX 30 20000
mail bulk disk-tls Both 30 21000
runs 0 "and both ways" sync tls
equal "all is there, again" tls disk-tls
runs 0 "nothing to do" --json sync tls
nothing_done "it does nothing"

account_imap near dovecot cid
account_maildir disk-near
pair near near disk-near
mail bulk near INBOX 200 20000
runs 0 "auto, and a fast link" -vv sync near
equal "all is there, not compressed" near disk-near
hasnt "it asks for nothing" "$T/err" 'C: .*COMPRESS'

# measured NAME PATTERN: the last run, of 3 or 4 MB at 1 MB/s, found the link
# slow; unless it took much longer than that, so that we were slower.
measured() {
    if [ "$(summary '.seconds | floor')" -gt 10 ] && ! grep -Eq "$2" "$T/err"; then
        skip "$1" "this machine is slower than the link now"
    else
        has "$1" "$T/err" "$2"
    fi
}

relay slow dovecot -d 10 -r 1000000
account_relay far slow dan
account_maildir disk-far
pair far far disk-far
mail bulk disk-far Sent 60 20000
account_imap far-near dovecot dan
mail bulk far-near INBOX 150 20000
runs 0 "auto, and a slow link: pull" -vv --json sync far
measured "it is measured" 'far: [0-9]+ kB/s: compressed from now on'
measured "and compressed" 'compressed: .* received as'
equal "all is there, compressed" far-near disk-far
runs 0 "nothing to do over a slow link" -vv --json sync far
nothing_done "it does nothing, either"
hasnt "and does not ask" "$T/err" 'C: .*COMPRESS'

# What the kernels swallow at once says nothing; three commands' worth.
account_relay up slow fay
also 'connections = 1'
account_imap up-near dovecot fay
account_maildir disk-up
pair up up disk-up
mail bulk disk-up INBOX 1100 4000
runs 0 "auto, and a slow link: push" -vv --json sync up
measured "compressed, too" 'compressed: [0-9]{6,} bytes sent as'
equal "all is there on the server" up-near disk-up

# No slow link, but a distant one, and a listing of 650 kB.
relay distant plain -d 6
account_relay listed distant ann
account_maildir disk-listed
pair listed listed disk-listed
home=$(dovecot_home "$T/plain" ann)
python3 tests/lib/mail.py bulk "maildir++:$home" INBOX 6000 100
[ "$(id -u)" = 0 ] && chown -R --reference="$home" "$home"
runs 8 "auto, and a long listing" -vv plan listed
has "is asked for before it" "$T/err" 'compressed: .* received as'
hasnt "though nothing was measured to be slow" "$T/err" ' kB/s: compressed'
has "and all of it was read" "$T/out" "6[0-9]{3} to copy"

account_imap lacks without eve
also 'compress = yes'
account_maildir disk-lacks
pair lacks lacks disk-lacks
mail seed lacks 10
runs 0 "a server that cannot" -vv sync lacks
hasnt "is not asked" "$T/err" 'C: .*COMPRESS'
equal "all is there without" lacks disk-lacks

runs 0 "probe" probe tls
has "says what the server can" "$T/out" 'capabilities:.* COMPRESS'
done_testing
