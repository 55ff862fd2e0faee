#!/bin/sh
# Install what the build and the tests need; nothing happens where all of it is
# there. The lists below are the only place that names the packages.
build="gcc make pkg-config libssl-dev libuv1-dev libgsasl-dev liblmdb-dev
    zlib1g-dev libjansson-dev"
tests="dovecot-imapd openssl perl python3 jq binutils coreutils"
bench="isync interimap"

if ! command -v dpkg-query >/dev/null; then
    if pkg-config --exists openssl libuv libgsasl lmdb zlib jansson 2>/dev/null &&
        command -v dovecot >/dev/null && command -v jq >/dev/null &&
        command -v python3 >/dev/null && command -v prove >/dev/null; then
        exit 0
    fi
    cat <<'LIST'
Install these packages yourself:
  Fedora     dnf install gcc make pkgconf openssl-devel libuv-devel libgsasl-devel lmdb-devel zlib-devel jansson-devel dovecot openssl perl-Test-Harness python3 jq binutils
  Arch       pacman -S gcc make pkgconf openssl libuv gsasl lmdb zlib jansson dovecot perl python jq binutils
  Alpine     apk add gcc make musl-dev pkgconf openssl-dev libuv-dev gsasl-dev lmdb-dev zlib-dev jansson-dev linux-headers dovecot openssl perl perl-utils python3 jq binutils coreutils
  macOS      brew install pkg-config openssl@3 libuv gsasl lmdb zlib jansson dovecot python jq
LIST
    exit 1
fi

is_there() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $build $tests; do
    is_there "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    exit 0
fi

echo "Installing:$missing"
echo "(for the comparison in \`make bench\` also: $bench)"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
had_dovecot=no
is_there dovecot-core && had_dovecot=yes

# RUNLEVEL=1 keeps a new service from being started where init scripts are
# asked; systemd is asked below.
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends $missing || exit

# The tests run servers of their own. A system server that nobody asked for
# goes away again; one that was there before is not touched.
if [ $had_dovecot = no ] && is_there dovecot-core && [ -d /run/systemd/system ]
then
    $sudo systemctl disable --now dovecot.service dovecot.socket \
        >/dev/null 2>&1
fi
exit 0
