#!/bin/sh
# Goal of this test: every file and function that the documents name is there.
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

# `dir/file.c: function` or `file.c`, in backquotes.
broken() {
    grep -ohE '`[a-z0-9_/]+\.([ch]|t|py)(: [a-z0-9_]+)?`' "$@" | tr -d '`' | sort -u |
        while IFS=' ' read -r file function; do
            file=${file%:}
            case $file in
            */*) path=$file ;;
            *.t) path=$(ls tests/*/"$file" 2>/dev/null | head -n 1) ;;
            *) path=$(ls ./*/"$file" 2>/dev/null | head -n 1) ;;
            esac
            if [ ! -f "$path" ]; then
                echo "$file"
            elif [ -n "$function" ] && ! grep -q "\b$function(" "$path"; then
                echo "$file: $function"
            fi
        done
}

is "the documents name what is there" \
    "$(broken docs/architecture.md docs/crash-safety.md)" ""
printf '`sync/run.c: no_such_thing` and `no/file.c`\n' >"$T/doc.md"
is "and the gate sees what is not" "$(broken "$T/doc.md")" \
    "no/file.c
sync/run.c: no_such_thing"
done_testing
