#!/bin/sh
# Goal of this test: the connection is cut after each byte of either direction,
# by an orderly end or a reset, in the clear, within TLS and within what is
# compressed; or the server gets the rest only later, and acts on it. Nothing is
# lost, nothing is there twice, and no message goes over the wire again but for
# a cut. Silence and garbage are cut-silence.t, larger sessions cut-borders.t.
#
#     SEED=7                      another sample, where not all is run
#     TIERS="bare" ROWS="FIN"     only these
#     AGAIN=TIER/SCENARIO/POINT   this one trial, as a failure names it
TWIN_PLACE=${TWIN_PLACE:-/dev/shm}
[ -w "$TWIN_PLACE" ] || TWIN_PLACE=/tmp
. tests/lib/twin.sh
export ROWS="${ROWS:-FIN RST late TLS deflate}"

for tier in ${TIERS:-resync condstore plain bare}; do
    server "$tier" "tier=$tier" compress=yes homes=password extra='mail_fsync = never'
done
PYTHONPATH=tests/lib python3 tests/torture/cut.py "$T" "$T/lab"
