#!/bin/sh
# Goal of this test: memory is taken for what is under way, not for each message
# of a folder: a first pull of four times as many takes hardly more, and one
# change in a large folder, even where all flags have to be listed, next to none.
. tests/lib/twin.sh

few=8000
many=32000
MAILTWIN=${PLAIN_MAILTWIN:-./mailtwin}

# measured PAIR: run it, its peak in KB into $peak.
measured() {
    code=0
    "$TOOLS/measure" "$T/cost" "$MAILTWIN" -c "$T/conf" \
        --state-dir "$T/state" --json sync "$1" >"$T/out" 2>"$T/err" || code=$?
    peak=$(cut -d ' ' -f 3 "$T/cost")
}

server resync
server plain tier=plain
pull() {
    mkdir -p "$T/$1/home/$2"
    python3 "$TESTS/bench/corpus.py" "$T/$1/home/$2/mail" 1 "$3" 300
    [ "$(id -u)" != 0 ] || chown -R nobody "$T/$1/home/$2"
    account_imap "$2" "$1" "$2"
    account_maildir "disk_$2"
    pair "$2" "$2" "disk_$2" "max_delete = off"
    measured "$2"
    is "$3 messages are pulled" "$code" 0
}
pull resync few $few
least=$peak
pull resync many $many
ok "$many of them take $peak KB, $few take $least" \
    test $((peak - least)) -lt $(((many - few) * 350 / 1024))
size=$(($(wc -c <"$T/state/many/data.mdb") / many))
ok "their names and pairs take $size bytes each on disk" test $size -lt 64

pull plain listed $((many / 2))
measured listed
is "nothing to do" "$code" 0
ok "all flags listed, it takes $peak KB" test "$peak" -lt 12288
doveadm -c "$T/plain/conf" flags add -u listed '\Flagged' mailbox INBOX \
    uid $((many / 4))
measured listed
is "one flag" "$code $(summary .right.flagged)" "0 1"
ok "it takes $peak KB" test "$peak" -lt 16384
done_testing
