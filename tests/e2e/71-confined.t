#!/bin/sh
# Goal of this test: a run can touch the disk only where it has to
# (cmd/bounds.h), all of its threads, from before the first answer of a server
# on; and what the user runs and names still works.
. tests/lib/twin.sh
server one
account_imap left one ann
account_maildir disk
account_maildir second
pair main left disk
pair more left second
mail seed left 5

mt probe left
have=$(sed -n 's/^confinement: //p' "$T/out")
case $have in
"landlock ABI "*) ;;
*)
    ok "probe says why there is none: $have" test "${have#none: }" != "$have"
    skip "a confined run" "$have"
    done_testing
    exit
    ;;
esac
pass "probe says it: $have"
mt --json probe left
is "and in JSON" "$(jq -r .facts.confinement "$T/out")" "$have"
mt probe disk
has "and of a Maildir" "$T/out" '^confinement: landlock'

# --- the roots, before and in a run ------------------------------------------------
runs 0 "roots that are not there yet are made" sync
equal "both sides are equal" left disk
runs 0 "the next run" sync
rm -rf "$T/second"
runs 3 "a root that was there is not made again" sync
ok "nothing is in its place" test ! -e "$T/second"
printf 'damaged' >"$T/state/more/data.mdb"
runs 0 "but where the state is lost, too" sync more
equal "both sides are equal" left second
account_maildir far nested no/where
pair far left far
runs 7 "a root without a parent" sync far
has "it is said why" "$T/err" 'the directory above it does not exist'
ok "no directory above a root is made" test ! -e "$T/no"

# --- while it runs -----------------------------------------------------------------
relay slow one -h "$T/hold" -a "$T/there"
account_relay held slow ann
account_maildir third
pair slow held third
: >"$T/hold"
"$MAILTWIN" -c "$T/conf" --state-dir "$T/state" sync slow >"$T/out" \
    2>"$T/err" &
pid=$!
wait_for 10 test -e "$T/there"
grep -h NoNewPrivs "/proc/$pid/task/"*/status >"$T/threads"
ok "there are threads" test "$(wc -l <"$T/threads")" -gt 1
is "none of them can gain privileges" "$(sort -u "$T/threads" | tr -d '\t')" \
    "NoNewPrivs:1"
mkdir "$T/elsewhere"
mv "$T/third" "$T/aside"
ln -s "$T/elsewhere" "$T/third"
rm "$T/hold"
code=0
wait "$pid" || code=$?
is "with its root replaced by a link, nothing is written to where that leads" \
    "$(ls -A "$T/elsewhere")" ""

# --- what is the user's -----------------------------------------------------------
printf 'one' >"$T/secret-elsewhere"
chmod 600 "$T/secret-elsewhere"
{
    servers_plain "$(cat "$T/one/imap_port")" asks ann |
        sed "s|^password = .*|password_command = touch $T/was-run; cat $T/pw|"
    servers_plain "$(cat "$T/one/imap_port")" reads ann |
        sed "s|^password = .*|password_file = $T/pw|"
} >>"$T/conf"
servers_plain "$(cat "$T/one/imap_port")" x ann |
    sed -n 's/^password = //p' >"$T/pw"
chmod 600 "$T/pw"
account_maildir fourth
account_maildir fifth
pair asks asks fourth
pair reads reads fifth
runs 0 "a password command and a password file" sync asks reads
ok "the command may write where it likes" test -e "$T/was-run"
is "nobody is left behind" "$(pgrep -f "$T/conf")" ""
done_testing
