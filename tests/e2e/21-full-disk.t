#!/bin/sh
# Goal of this test: on a full disk a run ends with 7; with space again the
# next one goes on, and nothing is lost or there twice.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk nested small/disk
pair main left disk
mail bulk left INBOX 40 100000
mkdir "$T/small"
if ! mount -t tmpfs -o size=2m none "$T/small" 2>/dev/null; then
    skip "a full disk" "root and mount are needed for a small tmpfs"
    done_testing
    exit
fi
trap 'umount "$T/small"; twin_end' EXIT

runs 7 "a Maildir on a full disk" sync main
has "it says so, and where" "$T/err" 'INBOX: .*No space'
is "no half message is to be seen" \
    "$(find "$T/small/disk" -path '*/cur/*' -size -90k | wc -l)" 0
runs 7 "again" sync main
mount -o remount,size=64m "$T/small"
runs 0 "with space the run goes on" sync main
equal "both sides are equal" left disk

rm -rf "$T/small/disk" "$T/state"
mount -o remount,size=24k "$T/small"
mt --state-dir "$T/small/state" sync main
is "a state on a full disk" "$code" 7
mount -o remount,size=64m "$T/small"
mt --state-dir "$T/small/state" sync main
is "with space it goes on" "$code" 0
equal "both sides are equal" left disk
done_testing
