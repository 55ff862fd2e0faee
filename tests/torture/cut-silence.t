#!/bin/sh
# Goal of this test: the connection falls silent, or brings garbage, after
# each byte of either direction. See cut.t.
# Sources: tests/torture/cut.t tests/torture/cut.py
ROWS="silence garbage" exec tests/torture/cut.t
