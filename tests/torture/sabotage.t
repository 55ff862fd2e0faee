#!/bin/sh
# Goal of this test: the tests notice when a safeguard is gone. Each mistake of
# base/sabotage.h is made, and the tests that should see it are run, the cheapest
# first, until one fails; all of them pass without it. One that nobody notices is
# a test that is missing.
#
#     ONLY="no_guard any_scan" tests/torture/sabotage.t     these only
#
# make check makes a few mistakes that are noticed within seconds.
# Sources: tests/unit tests/e2e tests/fuzz tests/sim
T=$(mktemp -d /tmp/mtXXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
. tests/lib/tap.sh

# NAME, what is done wrong, and who is to notice: units, corpora of fuzz targets
# (fuzz:NAME), tests. Those of a short run carry a "+".
list() {
    cat <<'LIST'
no_file_sync         + a file gets its name before it is on disk | test_maildir_durable
no_directory_sync    + the name of a file is not synced | test_maildir_durable
ignore_sync_error    + EIO of fsync passes for success | test_maildir_durable
record_first           a pair is on record before its copy is made | test_run
any_scan             + one unsettled scan is believed | test_maildir_scan
any_uidvalidity        another UIDVALIDITY is not noticed | test_imap_endpoint
any_uidnext            UIDNEXT that went back is not noticed | test_imap_endpoint
any_vanished           VANISHED is believed against the count | test_delta
any_listing            a listing with holes, or NO at its end, is complete | test_imap_wait
any_folder_list        a folder list with holes is complete | test_run
plain_expunge          EXPUNGE in place of UID EXPUNGE | test_imap_endpoint
absolute_flags         FLAGS in place of +FLAGS and -FLAGS | test_imap_endpoint
no_intents             what may happen is not announced | test_intents
trash_again            what is in the Trash is sent there again | test_run
append_again           APPEND is repeated after a lost answer | test_imap_wait
message_id_only        messages with one Message-ID are one | test_identity
header_is_proof      + messages with one header are one | test_match
collapse_twins       + identical messages are one | test_match
source_first           a move takes the original away first | test_imap_place
no_guard             + no deletions are too many | test_guard
no_marker              an unmounted root is an empty one | test_maildir_endpoint
no_is_ok             + NO passes for OK | test_verdict
no_second_look         tokens go on record unseen | test_run
no_lock                two runs at once | test_lock
edits_unseen           an edited file is taken for the old message | tests/e2e/37b-edited.t
bare_cr_lost           a bare CR is swallowed | test_maildir_eol fuzz:message
path_escapes           a folder called ".." is a directory of that name | fuzz:names test_maildir_path
any_certificate        any certificate is good | test_tls
log_secrets            passwords are logged | fuzz:session test_session_login
LIST
}

# Run TEST with the mistake NAME, or with none.
run_test() {
    MAILTWIN_SABOTAGE=$1
    MAILTWIN=build-sabotage/mailtwin
    export MAILTWIN_SABOTAGE MAILTWIN
    case $2 in
    fuzz:*)
        _target=${2#fuzz:}
        timeout 120 build-sabotage/fuzz/"$_target" -o "$T" \
            tests/fuzz/corpus/"$_target"
        ;;
    test_*)
        timeout 300 build-sabotage/tests/"$2"
        ;;
    *)
        timeout 600 sh "$2"
        ;;
    esac >"$T/out" 2>&1
}

# The first of TESTS that fails, into $caught.
find_catcher() {
    _name=$1
    shift
    caught=
    for _test in "$@"; do
        if ! run_test "$_name" "$_test"; then
            caught=$_test
            return
        fi
    done
}

build() {
    # shellcheck disable=SC2086 # several words
    make -j2 mailtwin && make -j2 SABOTAGE=1 $1
}

# Only the programs that are asked for.
wanted() {
    echo build-sabotage/mailtwin
    for _test in $(cut -d '|' -f 2 "$T/list"); do
        case $_test in
        fuzz:*) echo "build-sabotage/fuzz/${_test#fuzz:}" ;;
        test_*) echo "build-sabotage/tests/$_test" ;;
        esac
    done | sort -u
}

if [ -n "${ONLY-}" ]; then
    for name in $ONLY; do
        list | grep "^$name "
    done >"$T/list"
elif [ -n "${TORTURE-}" ]; then
    list >"$T/list"
else
    list | grep '^[a-z_]* *+' >"$T/list"
fi

# Every place has its row, and every row its place.
grep -rhoE 'SABOTAGED\([a-z_]+\)' base imap store sync cmd --include='*.c' |
    sed 's/.*(\(.*\))/\1/' | sort -u >"$T/places"
list | awk '{ print $1 }' | sort >"$T/rows"
same "every mistake that can be made has a test" "$T/places" "$T/rows"
ok "nothing of them is in the program" sh -c \
    '! strings -a build/mailtwin | grep -i sabotage'

if ok "the build that can be broken" build "$(wanted | tr '\n' ' ')"; then
    for test in $(cut -d '|' -f 2 "$T/list" | tr ' ' '\n' | sort -u); do
        ok "$test passes as it is" run_test '' "$test"
    done
fi

made=0
noticed=0
while IFS='|' read -r head tests; do
    name=${head%% *}
    what=$(echo "$head" | sed 's/^[a-z_]* *+* *//; s/ *$//')
    made=$((made + 1))
    # shellcheck disable=SC2086 # several words
    find_catcher "$name" $tests </dev/null
    if [ -n "$caught" ]; then
        noticed=$((noticed + 1))
        pass "$name: caught by $caught ($what)"
    else
        fail "$name: caught by nobody ($what)"
    fi
done <"$T/list"

echo "# row: sabotaged builds | $noticed of $made caught"
[ "$noticed" -ge 15 ] || [ -z "${TORTURE-}" ] || [ -n "${ONLY-}" ] ||
    fail "at least 15"
done_testing
