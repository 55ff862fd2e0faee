#!/bin/sh
# Goal of this test: both ways with a server as 163.com's: ID before SELECT or
# nothing, neither MOVE nor UNSELECT, names beyond ASCII. And flags that such
# servers refuse, or take and do not keep: they stay on the other side.
. tests/lib/twin.sh
. tests/lib/provider.sh

# flags KIND KEY=VALUE ...: the keywords odd and even, of which odd is trouble.
flags() {
    _kind=$1
    shift
    provider "far_$_kind" coremail "$@"
    account_provider "far_$_kind" "far_$_kind"
    account_maildir "disk_$_kind"
    pair "$_kind" "far_$_kind" "disk_$_kind"
    mail new "far_$_kind" INBOX there-1 there-2
    mail new "disk_$_kind" INBOX here
    mail flag "disk_$_kind" INBOX here '+\Seen' +even +odd
    runs 0 "$_kind: new mail with such flags" sync "$_kind"
    mail flag "disk_$_kind" INBOX there-1 '+\Flagged' +even +odd
    runs 0 "$_kind: flags that are set later" sync "$_kind"
    runs 0 "$_kind: another run" --json sync "$_kind"
    nothing_done "$_kind: has nothing to do"
    mail flag "far_$_kind" INBOX there-1 '+\Answered'
    mail flag "far_$_kind" INBOX here '+\Answered'
    runs 0 "$_kind: other flags" sync "$_kind"
    mail subjects "disk_$_kind" >"$T/here.seen"
    mail subjects "far_$_kind" >"$T/there.seen"
    same "$_kind: here are all of them" "$T/here.seen" - <<SEEN
INBOX	here	\Answered \Seen even odd
INBOX	there-1	\Answered \Flagged even odd
INBOX	there-2	
SEEN
    same "$_kind: there are those that can be" "$T/there.seen" - <<SEEN
INBOX	here	\Answered \Seen even
INBOX	there-1	\Answered \Flagged even
INBOX	there-2	
SEEN
}

provider far coremail
account_provider far far
account_maildir disk
pair main far disk
keyword='\Draft'
there_and_back

# Sizes that lie on a server that nobody has heard of.
provider odd coremail greeting=hello size_factor=2
account_provider odd odd
account_maildir even
pair odd odd even
mail new odd INBOX one two three
runs 0 "sizes that lie" sync odd
rm -r "$T/state/odd"
runs 0 "and a lost state" --json sync odd
is "send nothing again" "$(summary '.left.copied + .right.copied')" 0
agree "and double nothing" odd even

flags refused 'storable=\Seen \Answered \Flagged \Deleted even \*' \
    refuses=odd 'keyword_answer=NO [CANNOT] not that one'
flags forgotten 'storable=\Seen \Answered \Flagged \Deleted \*' forgets=odd
done_testing
