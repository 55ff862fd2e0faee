#!/bin/sh
# Goal of this test: where there is no memory for one thing, or for anything
# more, the program ends with a word about it, or does without: nothing is lost,
# nothing is doubled, what is not in step is not called done.
#
#     AGAIN="mixed at 1700" tests/torture/malloc.t    one point again
#     AGAIN="mixed from 1700" tests/torture/malloc.t  from then on
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh
server one homes=password
PYTHONPATH=tests/lib python3 tests/torture/malloc.py "$T/one" "$T/lab"
