#!/bin/sh
# Goal of this test: the pairs of one command run side by side, some at a time;
# those that share an account or a Maildir take turns; and one that fails, that
# another run holds or whose password takes its time keeps no other one up.
. tests/lib/twin.sh

# What is held back for a condition is not a server that is silent.
export MAILTWIN_TEST_SILENCE_MS=300000

# starts ARGUMENT ...: mailtwin in the background, into $T/out and $T/err.
starts() {
    : >"$T/out" # or what the run before it told would count
    "$MAILTWIN" -c "$T/conf" --state-dir "$T/state" "$@" >"$T/out" \
        2>"$T/err" &
    run=$!
}

# ends CODE NAME: what was started.
ends() {
    code=0
    wait "$run" || code=$?
    if [ "$code" = "$1" ]; then
        pass "$2"
    else
        fail "$2" "exit $code instead of $1" "$(tail -n 25 "$T/err")"
    fi
}

# has_lines FILE NUMBER
has_lines() {
    [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# told PAIR ...: are these over, by their summaries?
told() {
    for _pair in "$@"; do
        grep -q "\"event\":\"summary\".*\"pair\":\"$_pair\"" "$T/out" ||
            return 1
    done
}

# Another run of the pair "locked" holds it, and lets go of it.
hold_locked() {
    touch "$T/late"
    rm -f "$T/late.connected"
    "$MAILTWIN" -c "$T/conf" --state-dir "$T/state" sync locked \
        >"$T/holder.out" 2>"$T/holder.err" &
    holder=$!
    wait_for 100 test -e "$T/late.connected"
}

let_go() {
    rm "$T/late"
    wait "$holder"
}

# The exit code of each pair that has begun, in the order of their ends.
codes() {
    summary '"\(.pair):\(.exit)"' | paste -s -d ' '
}

server one

# --- many -------------------------------------------------------------------------
relay far one -h "$T/hold" -a "$T/connected"
many=
for i in $(seq 20); do
    account_relay "far$i" far "user$i"
    account_maildir "disk$i"
    pair "many$i" "far$i" "disk$i"
    many="$many many$i"
done
touch "$T/hold"
# shellcheck disable=SC2086 # words on purpose
starts --json sync $many
ok "16 of 20 pairs are connected before any has an answer" \
    wait_for 100 has_lines "$T/connected" 16
rm "$T/hold"
ends 0 "all of them run"
is "each has its summary" "$(summary .pair | sort -u | wc -l)" 20

touch "$T/hold"
: >"$T/connected"
# shellcheck disable=SC2086
starts --json sync $many
wait_for 100 has_lines "$T/connected" 16
kill -TERM "$run"
ends 130 "interrupted, they all end"
is "the 16 that had begun say so, the others say nothing" \
    "$(summary .exit | paste -s -d ' ')" \
    "130 130 130 130 130 130 130 130 130 130 130 130 130 130 130 130"
rm "$T/hold"
# shellcheck disable=SC2086
runs 0 "the next run" --json sync $many
nothing_done "has nothing to do"

# --- their accounts ----------------------------------------------------------------
relay narrow one -h "$T/hold" -a "$T/narrow.connected"
{
    servers_plain "$(cat "$T/narrow.port")" shared ann "connections = 1"
    servers_plain "$(cat "$T/narrow.port")" again ann "connections = 1"
    servers_plain "$(cat "$T/one/imap_port")" wrong eve |
        sed 's/^password = .*/password = mistaken/'
} >>"$T/conf"
account_imap ann one ann
account_imap bob one bob
account_maildir a
account_maildir b
account_maildir c
account_maildir free
account_maildir d
mail bulk ann INBOX 20 2000
pair share1 shared a
pair share2 shared b
pair share3 again c
pair fails wrong d
pair other bob free
touch "$T/hold"
: >"$T/connected"
starts --json sync share1 share2 share3 many1 many2 many3
wait_for 100 has_lines "$T/connected" 3
is "with all connected that may be, an account has its one connection" \
    "$(cat "$T/narrow.connected")" connected
rm "$T/hold"
ends 0 "its other pairs follow"
is "in their order" "$(summary .pair | grep share | paste -s -d ' ')" \
    "share1 share2 share3"
is "with one connection each" "$(wc -l <"$T/narrow.connected")" 3
equal "all is there" ann a
equal "and there" ann b

# --- their ends --------------------------------------------------------------------
relay late one -h "$T/late" -a "$T/late.connected"
account_relay late late carl
account_maildir h
pair locked late h
hold_locked
runs 5 "one fails, one is held: the code of the worst" --json sync share1 \
    share2 fails locked share3 other
is "each has its own code" "$(codes | tr ' ' '\n' | sort | paste -s -d ' ')" \
    "fails:5 locked:6 other:0 share1:0 share2:0 share3:0"
ok "each event has its pair, and the summary is its last" jq -es '
    all(has("pair")) and (group_by(.pair) |
    all(([.[] | select(.event == "summary")] | length == 1) and
        .[-1].event == "summary"))' "$T/out"
has "what failed is told with its pair" "$T/err" '^mailtwin: fails: wrong: '
has "what is held too" "$T/err" '^mailtwin: locked: another run'
runs 0 "status" --json status
is "knows them one by one" "$(jq -r 'select(.last_run != null) |
    "\(.pair):\(.last_run.exit)"' "$T/out" | grep -e fails -e share |
    sort | paste -s -d ' ')" "fails:5 share1:0 share2:0 share3:0"
mail new ann INBOX fresh
runs 8 "plan: something to do, though nothing is held" --json plan share1 \
    share2 share3
is "by each" "$(summary .todo | paste -s -d ' ')" "1 1 1"

# --- --wait ------------------------------------------------------------------------
starts --json sync --wait 60 locked share1 share2
ok "who waits for another run's end keeps no other one up" \
    wait_for 100 told share1 share2
ok "and still waits" test -z "$(summary 'select(.pair == "locked") | .exit')"
let_go
ends 0 "then it has its turn"
is "and is the last" "$(summary .pair | tail -n 1)" locked
hold_locked
runs 6 "nor does it wait for longer than it was told" sync --wait 1 locked share1
starts --json sync --wait 600 locked share1
wait_for 100 told share1
kill -INT "$run"
ends 130 "interrupted, it waits no more"
let_go

# --- passwords ---------------------------------------------------------------------
{
    servers_plain "$(cat "$T/one/imap_port")" asks ann |
        sed "s|^password = .*|password_command = echo asked >>$T/asked; until \
test -e $T/go; do sleep 0.02; done; echo secret|"
    servers_plain "$(cat "$T/one/imap_port")" asks-too bob |
        sed "s|^password = .*|password_command = echo too >>$T/asked; echo secret|"
} >>"$T/conf"
account_maildir e
account_maildir f
account_maildir g
pair ask1 asks e
pair ask2 asks f
pair too asks-too g
starts --json sync ask1 ask2 too share1 other
ok "whose password is not there yet keeps no other one up" \
    wait_for 100 told share1 other
is "passwords are asked for one after the other" "$(cat "$T/asked")" asked
touch "$T/go"
ends 0 "then they go on"
is "each account's once" "$(paste -s -d ' ' "$T/asked")" "asked too"
rm "$T/go" "$T/asked"
starts --json sync ask1 other
wait_for 100 told other
wait_for 100 test -e "$T/asked"
kill -TERM "$run"
ends 130 "interrupted, nobody waits for a password"
is "the other one is done" "$(codes)" "other:0 ask1:130"
touch "$T/go"

# --- the progress line -------------------------------------------------------------
touch "$T/hold"
: >"$T/connected"
# A terminal, and what is on it.
on_terminal() {
    python3 - "$T/screen" "$T/go" "$MAILTWIN" -c "$T/conf" --state-dir \
        "$T/state" "$@" <<'PY'
import os, pty, sys
screen = open(sys.argv[1], "wb", buffering=0)
def copy(fd):
    data = os.read(fd, 4096)
    screen.write(data)
    return data
os.environ["TERM"] = "vt100"
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[3:], copy)))
PY
}
on_terminal sync many1 many2 other >"$T/ignored" 2>&1 &
run=$!
ok "pairs are counted" wait_for 100 grep -q '1/3 pairs: connecting' "$T/screen"
rm "$T/hold"
ends 0 "to the end"
touch "$T/hold"
on_terminal sync many1 >"$T/ignored" 2>&1 &
run=$!
ok "one has its name" wait_for 100 grep -q 'many1: connecting' "$T/screen"
rm "$T/hold"
ends 0 "to the end"
done_testing
