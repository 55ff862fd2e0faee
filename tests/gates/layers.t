#!/bin/sh
# Goal of this test: the include lines keep to the layers, and the gate that
# says so can fail.
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

ok "every include line keeps to its layer" sh tests/layers.sh

# A small tree of the same shape with one sin in each file.
mkdir -p "$T/tree/tests" "$T/tree/base" "$T/tree/imap" "$T/tree/store" \
    "$T/tree/sync" "$T/tree/cmd"
cp tests/layers.sh "$T/tree/tests/"
echo '#include "sync/run.h"' >"$T/tree/imap/a.c"
echo '#include "imap/conn.h"' >"$T/tree/store/b.c"
echo '#include "store/state.h"' >"$T/tree/base/c.h"
echo '#include <lmdb.h>' >"$T/tree/cmd/d.c"
echo '#include <openssl/ssl.h>' >"$T/tree/imap/e.c"
echo '#include <uv.h>' >"$T/tree/sync/f.c"
echo '#include "local.h"' >"$T/tree/sync/g.c"
sh "$T/tree/tests/layers.sh" >"$T/found"
is "a tree that breaks the rules is refused" $? 1
is "each broken line is named" "$(sort "$T/found")" \
    'base/c.h:1: base may not include store/state.h
cmd/d.c:1: lmdb.h has no door here
imap/a.c:1: imap may not include sync/run.h
imap/e.c:1: openssl/ssl.h has no door here
store/b.c:1: store may not include imap/conn.h
sync/f.c:1: uv.h has no door here
sync/g.c:1: sync may not include local.h'
done_testing
