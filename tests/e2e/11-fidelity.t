#!/bin/sh
# Goal of this test: a copy is the same bytes with the same date and flags,
# however odd the message; two equal messages stay two.
. tests/lib/twin.sh

server one storage=sdbox
server two storage=mdbox
account_imap left one ann
account_maildir disk
account_imap right two bob
account_imap direct two dan
account_maildir local
pair pull left disk
pair push disk right
pair direct left direct
pair local disk local

# odd NAME: the message of standard input goes into the left INBOX.
odd() {
    mail add left INBOX "$1" "$2" || fail "Dovecot takes: $1 $2"
}
printf 'Subject: no-newline\r\n\r\nends without one' | odd '\Seen' 1000000000
printf 'Subject: bare-cr\r\n\r\na\rb\r\nc\rd\r\n' | odd '' 1000000001
printf 'Subject: last-cr\r\n\r\nends in a CR\r' | odd '' 1000000002
printf 'Subject: eight-bit\r\n\r\n\303\244 \344 \377\376\200\r\n' |
    odd '' 1000000003
printf 'Subject: =?utf-8?q?B=C3=BCcher?=\r\n\r\nB\303\274cher\r\n' |
    odd '$Work later' 1000000004
printf '\r\nno header at all\r\n' | odd '' 1000000005
printf 'no header and no body either' | odd '' 1000000006
printf 'Subject: header-only\r\n' | odd '' 1000000007
printf 'Subject: empty-body\r\n\r\n' | odd '' 1000000008
printf '\r\n' | odd '' 1000000009
printf 'x' | odd '' 1000000010
printf 'From ann Mon Jan 1 00:00:00 2026\r\nSubject: from\r\n\r\n>From\r\n' |
    odd '' 1000000011
printf 'Subject: dots\r\n\r\n.\r\n..\r\n.\r\n' | odd '' 1000000012
printf 'Subject: imap\r\n\r\na1 OK {5}\r\n* BYE )\r\n+ go {10+}\r\n' |
    odd '' 1000000013
{
    printf 'Subject: long-line\r\n\r\n'
    head -c 300000 /dev/zero | tr '\0' x
    printf '\r\n'
} | odd '\Flagged' 1000000014
printf 'Subject: twin\r\n\r\nthe same\r\n' >"$T/twin"
odd '' 1000000015 <"$T/twin"
odd '' 1000000015 <"$T/twin"
odd '\Seen' 1000000015 <"$T/twin"
printf 'Subject: old\r\n\r\n1980\r\n' | odd '' 315532800
printf 'Subject: young\r\n\r\n2037\r\n' | odd '' 2114380800
printf 'Subject: big\r\n\r\n' >"$T/big"
head -c 3000000 /dev/urandom | base64 | sed 's/$/\r/' >>"$T/big"
odd '' 1000000016 <"$T/big"

runs 0 "IMAP to Maildir" sync pull
runs 0 "Maildir to another IMAP" sync push
runs 0 "IMAP straight to IMAP" sync direct
runs 0 "Maildir to Maildir" sync local
equal "the Maildir holds the same" left disk
equal "and so does what was sent from there" left right
equal "the direct copy is the same" left direct
equal "the copy of the Maildir is the same" disk local
is "twins stay twins" "$(mail dump right | cut -f2 |
    grep -c "$(sha256sum <"$T/twin" | cut -c 1-64)")" 3

mail raw disk INBOX dots >"$T/dots"
printf 'Subject: dots\n\n.\n..\n.\n' >"$T/dots.want"
same "a Maildir keeps LF line ends" "$T/dots.want" "$T/dots"
mail raw disk INBOX bare-cr >"$T/cr"
printf 'Subject: bare-cr\r\n\r\na\rb\r\nc\rd\r\n' >"$T/cr.want"
same "a message with bare CR lies there as it came" "$T/cr.want" "$T/cr"

# Files as other programs leave them.
printf 'Subject: crlf-file\r\n\r\nin CRLF\r\n' |
    mail add disk INBOX '\Seen' 1000000020
printf 'Subject: mixed-file\r\n\nin both\r\n\n' |
    mail add disk INBOX '' 1000000021
printf 'Subject: lf-file\n\nwithout an end' | mail add disk INBOX '' 1000000022
runs 0 "files of other programs go out" sync push
equal "as the same messages" disk right
runs 0 "and back to where all began" sync
runs 0 "one more run" --json sync
nothing_done "does nothing in any pair"
done_testing
