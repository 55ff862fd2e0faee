#!/bin/sh
# Goal of this test: killed at any moment of a first pull or push, the next run
# goes on; nothing is lost and nothing is there twice.
. tests/lib/twin.sh

server one
account_imap source one ann
account_maildir pulled
account_maildir drafts
account_imap pushed one bob
pair pull source pulled
pair push drafts pushed
mail seed source 50
mkdir "$T/drafts"
mail seed drafts 50

# Without the sanitizers: they do not run under ptrace.
MAILTWIN=${PLAIN_MAILTWIN:-./mailtwin}

# killed HOW N PAIR: run it, and kill it there.
killed() {
    timeout 120 "$TOOLS/killat" "-$1" "$2" "$MAILTWIN" -c "$T/conf" \
        --state-dir "$T/state" sync "$3" >"$T/out" 2>"$T/err"
}

# Every run starts from nothing: no state, no copy.
forget() {
    rm -rf "$T/state" "$T/pulled"
    doveadm -c "$T/one/conf" mailbox delete -s -u bob Sent Lists/dev \
        Lists/users "Bücher & Öl" 2>/dev/null
    doveadm -c "$T/one/conf" expunge -u bob mailbox INBOX all
}

killed c "$T/calls" pull
if [ $? = 125 ]; then
    skip "killed anywhere" "ptrace is not allowed here"
    done_testing
    exit
fi
for name in pull push; do
    case $name in
    pull) left=source right=pulled ;;
    push) left=drafts right=pushed ;;
    esac
    forget
    killed c "$T/calls" $name
    calls=$(cat "$T/calls")
    ok "$name makes $calls changing calls" test "$calls" -gt 100
    mail dump $left >"$T/want"
    mail dump $right >"$T/got"
    same "$name under the tracer is a good run" "$T/want" "$T/got"
    step=0 bad=
    while [ $step -lt "${KILLS:-10}" ]; do
        at=$((1 + calls * step / ${KILLS:-10} + step * 7 % 11))
        how=$(echo "b a" | cut -d ' ' -f $((1 + step % 2)))
        forget
        killed "$how" "$at" $name
        mt sync $name
        [ "$code" = 0 ] || bad="$bad $how$at:exit-$code"
        mail dump $right >"$T/got"
        cmp -s "$T/want" "$T/got" || bad="$bad $how$at:differs"
        mt --json sync $name
        [ "$(summary '.right.copied + .left.copied')" = 0 ] ||
            bad="$bad $how$at:unsettled"
        step=$((step + 1))
    done
    is "$name killed at ${KILLS:-10} moments: all is there once" "$bad" ""
    mail dump $left >"$T/got"
    same "$name: the source is as it was" "$T/want" "$T/got"
done
done_testing
