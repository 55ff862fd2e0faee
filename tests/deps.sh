#!/bin/sh
# Install what the build and the tests need; nothing happens where all of it is
# there. The lists below are the only place that names the packages.
# shellcheck source=tests/lib/servers.sh
. tests/lib/servers.sh

build="gcc make pkg-config libssl-dev libuv1-dev libgsasl-dev liblmdb-dev
    zlib1g-dev libjansson-dev"
tests="dovecot-imapd openssl perl python3 jq binutils coreutils mutt libfaketime
    e2fsprogs xfsprogs"
# Only with the argument "long", for make torture and make fuzz.
long="clang libclang-rt-14-dev"
bench="isync interimap offlineimap3"
# Only one IMAP server can be installed at a time, so these are unpacked beside
# each other instead. What their programs are linked with is installed.
servers="cyrus-common cyrus-imapd courier-authlib courier-imap libmailutils9 mailutils-imap4d"
libraries="libcourier-unicode4 libgdbm6 libgsasl18 libgssapi-krb5-2 libical3
    libicu72 libidn12 libldap-2.5-0 libltdl7 libmariadb3 libnsl2 libpam0g
    libpcre3 libpq5 libsasl2-2 libsasl2-modules libsqlite3-0 libunistring2
    libwrap0 libxapian30 libxml2"

if ! command -v dpkg-query >/dev/null; then
    if pkg-config --exists openssl libuv libgsasl lmdb zlib jansson 2>/dev/null &&
        command -v dovecot >/dev/null && command -v jq >/dev/null &&
        command -v python3 >/dev/null && command -v prove >/dev/null; then
        exit 0
    fi
    cat <<'LIST'
Install these packages yourself:
  Fedora     dnf install gcc make pkgconf openssl-devel libuv-devel libgsasl-devel lmdb-devel zlib-devel jansson-devel dovecot openssl perl-Test-Harness python3 jq binutils mutt
  Arch       pacman -S gcc make pkgconf openssl libuv gsasl lmdb zlib jansson dovecot perl python jq binutils mutt
  Alpine     apk add gcc make musl-dev pkgconf openssl-dev libuv-dev gsasl-dev lmdb-dev zlib-dev jansson-dev linux-headers dovecot openssl perl perl-utils python3 jq binutils coreutils mutt
  macOS      brew install pkg-config openssl@3 libuv gsasl lmdb zlib jansson dovecot python jq mutt
LIST
    exit 1
fi

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

is_there() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
    for _package in "$@"; do
        is_there "$_package" || printf '%s ' "$_package"
    done
}

# Once, and only where something is to be had.
update() {
    [ -n "${updated-}" ] && return
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q && updated=yes
}

# RUNLEVEL=1 keeps a new service from being started where init scripts are
# asked; systemd is asked below.
install() {
    update && $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends "$@"
}

# The tests run servers of their own. A system server that nobody asked for
# goes away again; one that was there before is not touched.
install_packages() {
    echo "Installing: $*"
    echo "(for the comparison in \`make bench\` also: $bench)"
    had_dovecot=no
    is_there dovecot-core && had_dovecot=yes
    install "$@" || return
    if [ $had_dovecot = no ] && is_there dovecot-core &&
        [ -d /run/systemd/system ]; then
        $sudo systemctl disable --now dovecot.service dovecot.socket \
            >/dev/null 2>&1
    fi
    return 0
}

# The directory gets its name when it is complete, so that an attempt that was
# cut short is made again. One at a time: others may test here, too.
unpack() {
    mkdir -p "${1%/*}" && exec 9>"$1.lock" && flock 9 || return
    rm -rf "$1.new"
    # shellcheck disable=SC2086 # several words
    mkdir -p "$1.new/debs" && (cd "$1.new/debs" &&
        apt-get download -q -o APT::Sandbox::User=root $servers) || return
    for _deb in "$1.new"/debs/*.deb; do
        dpkg-deb -x "$_deb" "$1.new" || return
    done
    rm -rf "$1.new/debs" "$1" && echo "$servers" >"$1.new/complete" &&
        mv "$1.new" "$1"
}

get_servers() {
    echo "Unpacking for the tests, in $1: $servers"
    # shellcheck disable=SC2046,SC2086 # many words
    set -- "$1" $(missing $libraries)
    _place=$1
    shift
    [ $# = 0 ] || install "$@" || return
    unpack "$_place" || { update && unpack "$_place"; }
}

# shellcheck disable=SC2046,SC2086 # many words
[ "${1-}" = long ] || long=
# shellcheck disable=SC2046,SC2086 # many words
set -- $(missing $build $tests $long)
[ $# = 0 ] || install_packages "$@" || exit

if ! _found=$(servers_find) || [ "$(cat "$_found/complete")" != "$servers" ]
then
    get_servers "$(servers_place)" || cat <<EOT
These cannot be had here, so that their tests will be skipped: $servers
EOT
fi
exit 0
