#!/bin/sh
# Goal of this test: a Maildir that its owner puts back from an older backup,
# while the state stays, deletes nothing on the server: what came since is there
# again on both sides, once.
. tests/lib/twin.sh

server one
account_imap left one ann
account_maildir disk
account_imap far one bob
pair main left disk
pair also far disk "direction = right-to-left"

# Mail, a folder and flags come after the backup was made.
since() {
    mail new left INBOX "$1-a" "$1-b" "$1-c"
    mail new disk INBOX "$1-d"
    mail new left "F-$1" "$1-e" "$1-f"
    mail flag left Sent s1-1 '+\Flagged'
    mail flag disk INBOX s1-0 '+\Seen'
}

# The backup is in $T/backup, and is put back by @command.
put_back() {
    name=$1
    since "$name"
    runs 0 "$name: the mail since the backup" --json sync main
    mail dump left >"$T/all"
    "$name"
    mt --json plan main
    is "$name: a plan deletes nothing" \
        "$(summary '.left.deleted + .right.deleted')" 0
    runs 0 "$name: the older copy" --json sync main
    is "$name: deletes nothing" \
        "$(summary '.left.deleted + .right.deleted')" 0
    has "$name: is told" "$T/err" 'older copy'
    mail dump left >"$T/now"
    same "$name: the server has all it had" "$T/all" "$T/now"
    cut -f 1,2,4 "$T/all" | sort >"$T/all.undated"
    mail dump disk | cut -f 1,2,4 | sort >"$T/disk.undated"
    same "$name: and so has the Maildir" "$T/all.undated" "$T/disk.undated"
    runs 0 "$name: the next run" --json sync main
    nothing_done "$name: does nothing"
    hasnt "$name: and has nothing to say" "$T/err" 'older copy'
}

with_times() {
    rm -rf "$T/disk"
    cp -a "$T/backup" "$T/disk"
}

without_times() {
    rm -rf "$T/disk"
    cp -r "$T/backup" "$T/disk"
}

in_place() {
    find "$T/disk" -type f -delete
    cp -a "$T/backup/." "$T/disk"
}

without_later_folders() {
    find "$T/disk" -type f -delete
    find "$T/disk" -type d -name 'F-*' -exec rm -rf {} +
    cp -r "$T/backup/." "$T/disk"
}

mail seed left 60
runs 0 "the first run" sync main
for way in with_times without_times in_place without_later_folders; do
    rm -rf "$T/backup"
    cp -a "$T/disk" "$T/backup"
    put_back "$way"
done

# A copy that lacks nothing is no older one.
cp -a "$T/disk" "$T/disk.new"
rm -rf "$T/disk"
mv "$T/disk.new" "$T/disk"
mail delete disk INBOX s1-0
runs 0 "a Maildir on another disk" --json sync main
is "its deletions go over" "$(summary .left.deleted)" 1

# Nothing is written where nothing is done.
ls -lA --time-style=full-iso "$T/disk" >"$T/before"
runs 0 "a run" sync main
ls -lA --time-style=full-iso "$T/disk" >"$T/after"
same "leaves the Maildir as it was" "$T/before" "$T/after"

# Two states know the Maildir: neither hides from the other that it is old.
runs 0 "another pair over the same Maildir" sync also
rm -rf "$T/backup"
cp -a "$T/disk" "$T/backup"
mail new left INBOX both-1
mail new disk INBOX both-2
runs 0 "mail since" sync
mail dump left >"$T/all"
without_times
runs 0 "the older copy, the other pair first" --json sync also
is "deletes nothing" "$(summary '.left.deleted + .right.deleted')" 0
for i in 1 2 3 4 5 6; do
    mail new disk INBOX "later-$i"
    runs 0 "the other pair goes on" sync also
done
runs 0 "then this one" --json sync main
is "deletes nothing, too" "$(summary '.left.deleted + .right.deleted')" 0
mail dump left >"$T/now"
is "the server has all it had" "$(comm -23 "$T/all" "$T/now")" ""
is "and what came later" "$(mail subjects left | grep -c 'later-')" 6

# Only one folder is put back.
rm -rf "$T/backup"
cp -a "$T/disk" "$T/backup"
mail new left Sent folder-1 folder-2
mail new left Sent $(seq 100 199)
mail new left INBOX folder-3
runs 0 "mail in two folders" sync main
mail dump left >"$T/all"
rm -rf "$T/disk/Sent"
cp -a "$T/backup/Sent" "$T/disk/Sent"
runs 0 "one folder from the backup" --json sync main
is "deletes nothing" "$(summary '.left.deleted + .right.deleted')" 0
mail dump left >"$T/now"
same "the server has all it had" "$T/all" "$T/now"
mail dump left | cut -f 1,2,4 | sort >"$T/all.undated"
mail dump disk | cut -f 1,2,4 | sort >"$T/disk.undated"
same "and so has the Maildir" "$T/all.undated" "$T/disk.undated"
done_testing
