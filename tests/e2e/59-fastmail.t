#!/bin/sh
# Goal of this test: both ways with a server as Fastmail's: Cyrus's QRESYNC,
# object ids, and FETCH lines in spite of .SILENT.
. tests/lib/twin.sh
. tests/lib/provider.sh

provider far fastmail
account_provider far far
account_maildir disk
pair main far disk
there_and_back
has "changes come by QRESYNC" "$T/changes.wire" 'SELECT .*QRESYNC'
hasnt "flags are never set as a whole" "$T/far.wire" 'STORE [^ ]* FLAGS'
done_testing
