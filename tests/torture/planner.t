#!/bin/sh
# Goal of this test: every world of one message over two and three folders, and
# of two messages over two, comes out as docs/who-wins.md says, moves on and
# off; every 50th of them is cut at each of its changes, too. See
# tests/unit/test_planner_worlds.c. As a part of make check, under the
# sanitizers, one of so many worlds of two messages; the test itself does those
# of one.
# Sources: tests/unit/*.h tests/unit/test_planner_worlds.c tests/sim
if [ -n "$TORTURE" ]; then
    SCOPES="one three same other" EVERY=1 CUTS=50 \
        exec build/tests/test_planner_worlds
fi
SCOPES="same other" EVERY=301 CUTS=20 exec build-san/tests/test_planner_worlds
