# The servers that tests/deps.sh unpacked beside each other: where they are, and
# how their programs are run from there. Sourced by sh.
#
#   servers_place            print where this user may put them
#   servers_find             print where they are; 1 where they are not
#   servers_libraries        print their LD_LIBRARY_PATH
#   servers_lack PROGRAM     print why PROGRAM, a path in there, cannot be run,
#                            or nothing where it can
#   servers_plain PORT NAME USER [LINE]  print an account without TLS

servers_of_all=/var/cache/mailtwin-tests/servers

servers_place() {
    if [ "$(id -u)" = 0 ]; then
        echo "$servers_of_all"
    else
        echo "${XDG_CACHE_HOME:-$HOME/.cache}/mailtwin-tests/servers"
    fi
}

# What root unpacked serves everybody.
servers_find() {
    for _place in "$servers_of_all" "$(servers_place)"; do
        if [ -r "$_place/complete" ]; then
            echo "$_place"
            return 0
        fi
    done
    return 1
}

servers_libraries() {
    _root=$(servers_find) || return
    for _directory in "$_root"/usr/lib/*-linux-*; do
        printf '%s:' "$_directory"
    done
    echo "$_root/usr/lib"
}

# libfam is tests/lib/fam.c.
servers_lack() {
    if ! _root=$(servers_find); then
        echo "make deps has not unpacked it"
    elif [ ! -x "$_root/$1" ]; then
        echo "$1 is not there"
    else
        LD_LIBRARY_PATH=$(servers_libraries) ldd "$_root/$1" 2>&1 |
            awk '/not found/ && $1 != "libfam.so.0" {
                print "it lacks the library " $1; exit }'
    fi
}

servers_plain() {
    cat <<CONF
[account $2]
type = imap
host = localhost
port = $1
tls = none
allow_plaintext = yes
user = $3
password = secret
${4-}

CONF
}
