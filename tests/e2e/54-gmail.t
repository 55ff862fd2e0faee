#!/bin/sh
# Goal of this test: both ways with a server as Gmail's: folders are labels on
# one heap of messages, equal messages are merged, flags belong to the message.
. tests/lib/twin.sh
. tests/lib/provider.sh
apart='^\[Gmail\]/(All Mail|Important|Starred)	'

# twins MERGE: two equal messages on a disk, for a server that merges them.
twins() {
    provider "far_$1" gmail "merge=$1"
    account_provider "far_$1" "far_$1"
    account_maildir "disk_$1"
    pair "$1" "far_$1" "disk_$1"
    mail mkdir "disk_$1" INBOX
    for _date in 1700000000 1700000001; do
        printf 'Subject: twin\nFrom: a@b\n\nthe same\n' |
            mail add "disk_$1" INBOX '' $_date
    done
    mail new "disk_$1" INBOX other
    runs 0 "$1: two equal messages go to a server that keeps one" sync "$1"
    runs 0 "$1: another run" --json sync "$1"
    nothing_done "$1: has nothing to do"
    is "$1: both are still here" "$(mail subjects "disk_$1" |
        grep -c 'INBOX.twin')" 2
    is "$1: one is there" "$(mail subjects "far_$1" |
        grep -c 'INBOX.twin')" 1
    runs 0 "$1: status" status "$1"
    has "$1: says that one is here alone" "$T/out" '1 message twice'
    mail flag "far_$1" INBOX other '+\Seen'
    runs 0 "$1: the rest goes on" sync "$1"
    is "$1: as ever" "$(mail subjects "disk_$1" | grep -c 'other.\\Seen')" 1
}

provider far gmail size_factor=2
account_provider far far
account_maildir disk
pair main far disk
there_and_back

# More connections than it allows: fewer will do.
provider few gmail connections=2
account_provider few few
account_maildir lot
pair few few lot
for _folder in a b c d e; do
    mail new few $_folder one two
done
runs 0 "fewer connections than wanted" sync few
agree "all mail is here" few lot

for _merge in existing vanish; do
    twins $_merge
done
done_testing
