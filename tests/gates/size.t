#!/bin/sh
# Goal of this test: no function outgrows a screen, and no file one idea.
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

# A body lies between braces in the first column; those of initialisers end
# in "};".
long_functions() {
    awk -v max="$1" '
    FNR == 1 { open = 0 }
    /^\{/ { open = FNR }
    /^\}/ && open {
        if ($0 == "}" && FNR - open - 1 > max)
            printf "%s:%d: %d lines\n", FILENAME, open, FNR - open - 1
        open = 0
    }' base/*.c imap/*.c store/*.c sync/*.c cmd/*.c
}

long_files() {
    wc -l base/*.[ch] imap/*.[ch] store/*.[ch] sync/*.[ch] cmd/*.[ch] |
        awk -v max="$1" '$2 != "total" && $1 > max { print $2 ": " $1 " lines" }'
}

is "no function has more than 70 lines" "$(long_functions 70)" ""
is "no file has more than 600 lines" "$(long_files 600)" ""
ok "the gate sees functions at all" test -n "$(long_functions 5)"
done_testing
