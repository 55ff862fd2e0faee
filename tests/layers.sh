#!/bin/sh
# Which file may include what: a layer sees itself and those below it, and each
# foreign library has its doors. Prints every include line that breaks a rule;
# the exit status is 1 where there is one.
cd "$(dirname "$0")/.." || exit 2

find base imap store sync cmd -name '*.[ch]' | sort | xargs awk '
BEGIN {
    below["base"] = "base"
    below["imap"] = "base imap"
    below["store"] = "base store"
    below["sync"] = "base store sync"
    below["cmd"] = "base imap store sync cmd"
    doors["uv.h"] = "^imap/(conn|dial|imap_endpoint)|^store/diskwork" \
        "|^store/maildir_endpoint|^cmd/"
    doors["openssl"] = "^imap/tls|^base/digest"
    doors["gsasl.h"] = "^imap/sasl"
    doors["lmdb.h"] = "^store/state"
    doors["zlib.h"] = "^imap/deflate|^store/state|^store/record"
    doors["jansson.h"] = "^cmd/"
}

function complain(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    broken = 1
}

/^#[ ]*include "/ {
    split(FILENAME, here, "/")
    split($0, quoted, "\"")
    target = quoted[2]
    slash = index(target, "/")
    layer = slash ? substr(target, 1, slash - 1) : "?"
    if (!index(" " below[here[1]] " ", " " layer " "))
        complain(here[1] " may not include " target)
}

/^#[ ]*include </ {
    split($0, angle, /[<>]/)
    for (library in doors)
        if (index(angle[2], library) == 1 && FILENAME !~ doors[library])
            complain(angle[2] " has no door here")
}

END { exit broken }
' || exit 1
