#!/bin/sh
# Goal of this test: both ways with a server as Exchange's: no change tokens, no
# keywords, sizes that lie, MIME that is made anew for each reader.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far exchange
account_provider far far
account_maildir disk
pair main far disk
bytes=rebuilt keyword='$MDNSent'
there_and_back

# Keywords that it does not take stay where they are.
mail flag disk INBOX far-8 '+later' '+\Seen'
runs 0 "a keyword that cannot go over" sync main
seen disk >"$T/disk.seen"
has "and is not taken for removed" "$T/disk.seen" 'far-8.*later'
runs 0 "the next run" --json sync main
nothing_done "does nothing about it"
seen disk >"$T/disk.seen"
has "nor later" "$T/disk.seen" 'far-8.*later'
hasnt "no command was in error" "$T/far.wire" 'later'
mail flag disk INBOX far-8 '-later' '-\Seen'
runs 0 "the keyword goes away again" sync main
agree "and flags that can be changed follow" far disk

runs 0 "check compares what can be compared" check main
runs 0 "check --deep too" check --deep main

# Mail that the server lists and calendars that are no mail.
mail subjects disk | cut -f 1 | sort -u >"$T/folders"
runs 0 "probe" probe far
has "probe names the provider" "$T/out" '^provider: Microsoft Exchange'
has "and what follows" "$T/out" '^messages: made anew'
hasnt "calendars are left alone" "$T/folders" 'Calendar'
ok "here, too" test ! -e "$T/disk/Calendar"
is "no command is longer than it takes" "$(awk 'length > 9900' "$T/far.wire" |
    wc -l)" 0

# Throttled in the middle of a first run: it waits as long as it is told, and
# goes on where it was.
provider busy exchange throttle=3 rest=300
account_provider busy busy
account_maildir bin
pair busy busy bin
mail new busy INBOX m-1 m-2 m-3 m-4 m-5 m-6 m-7 m-8
runs 0 "a server that wants a rest" -v sync busy
has "that is said" "$T/err" '[Tt]hrottled'
agree "all mail is here" busy bin
done_testing
