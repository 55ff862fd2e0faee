#!/bin/sh
# Goal of this test: kill -9 at any moment of a run, or of the run after that,
# loses nothing and doubles nothing: what is there at once is whole, and two
# runs later both sides are in step.
#
#     AGAIN="mixed b 17" tests/torture/kill.t         one point again
#     AGAIN="mixed b 17 a 4" tests/torture/kill.t     and one of the recovery
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh
server one homes=password
PYTHONPATH=tests/lib python3 tests/torture/kill.py "$T/one" "$T/lab"
