#!/bin/sh
# Goal of this test: no object file holds data that can change.
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

# With PIE, constant tables of pointers lie in .data.rel.ro, which nm shows as
# "d" too; so the section's name is asked.
mutable() {
    find build/base build/imap build/store build/sync build/cmd -name '*.o' |
        xargs objdump -t |
        awk '/file format/ { file = $1 }
            / O / && $0 ~ /[ \t]\.(t?data|t?bss)(\.|[ \t])/ &&
                $0 !~ /\.data\.rel\.ro/ { print file, $NF }'
}

ok "there are objects to look at" test -f build/cmd/main.o
is "no mutable global" "$(mutable)" ""
done_testing
