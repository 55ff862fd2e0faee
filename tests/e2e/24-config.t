#!/bin/sh
# Goal of this test: every mistake in the configuration or on the command line
# ends with 2, and says file, line and what to write instead.
. tests/lib/twin.sh

# bad NAME PATTERN TEXT: the configuration TEXT is refused.
bad() {
    printf "$3" >"$T/conf"
    runs 2 "$1" sync
    has "$1: file and line" "$T/err" 'conf:[0-9]+:'
    has "$1: what" "$T/err" "$2"
}

disk="[account disk]\ntype = maildir\npath = $T/disk\n"
imap='[account far]\ntype = imap\nhost = localhost\nuser = u\npassword = p\n'
both="$disk$imap[pair p]\nleft = disk\nright = far\n"

bad "an unknown key" 'conf:4:.*colour' "${disk}colour = red\n"
bad "a key that is nearly right" 'layout' "${disk}layuot = nested\n"
bad "an unknown section" 'conf:1:.*acount' '[acount x]\ntype = imap\n'
bad "a bad value" 'nested' "${disk}layout = flat\n"
bad "a bad port" 'port' "${imap}port = 70000\n"
bad "a section twice" 'disk' "$disk$disk"
bad "an account that is not there" 'nowhere' \
    "$disk[pair p]\nleft = disk\nright = nowhere\n"
bad "the same account twice" 'left|right|same|disk' \
    "$disk[pair p]\nleft = disk\nright = disk\n"
bad "no host" 'host' '[account far]\ntype = imap\nuser = u\npassword = p\n'
bad "no type" 'type' '[account far]\nhost = h\n'
bad "a bad limit" 'max_delete' "${both}max_delete = 150%%%%\n"
bad "a bad direction" 'left-to-right' "${both}direction = up\n"
bad "an open quote" 'folders' "${both}folders = \"a\n"
bad "not an INI file" 'conf:1:' 'hello\n'

printf '%s' "" >"$T/conf"
runs 2 "an empty file" sync
mt -c "$T/no-such-file" sync
is "no file" "$code" 2
has "it is named" "$T/err" 'no-such-file'

printf "$both" >"$T/conf"
runs 2 "a pair that is not there" sync q
has "it is named" "$T/err" 'q'
runs 2 "an account that is not there" probe q
runs 2 "no command"
runs 2 "a command that is not there" synch
has "the one meant is named" "$T/err" 'sync'
runs 2 "an option that is not there" sync --colour
runs 2 "an option without its value" sync --wait
runs 2 "a value that is not one" sync --wait soon
runs 0 "--version" --version
has "it is on standard output" "$T/out" '[0-9]+\.[0-9]+'
runs 0 "--help" --help
has "it is on standard output" "$T/out" 'sync'
runs 0 "--help after a command" sync --help
has "it is of that command" "$T/out" 'force-delete'
done_testing
