#!/bin/sh
# Goal of this test: the connection is cut at the borders of lines,
# literals and answers of larger sessions. See cut.t.
# Sources: tests/torture/cut.t tests/torture/cut.py
ROWS="borders" exec tests/torture/cut.t
