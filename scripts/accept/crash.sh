#!/usr/bin/env bash
# kill -9 at random moments loses no acknowledged transaction: the short form with the server inside
# ovs-vswitchd (cargo test has the short form with ovsdb-server). The long form, 500 rounds each:
#   scripts/accept/crash.sh 500
. "$(dirname "$0")/../lib/netns.sh"
need ovs-vswitchd
ovs-vswitchd --version | grep -q Weir || skip "only Weir's ovs-vswitchd serves the database itself"
unset OVS_RUNDIR OVS_DBDIR OVS_LOGDIR OVS_SYSCONFDIR
cd "$root"
export WEIR_CRASH_ROUNDS=${1:-20}

# rounds KIND: the last line of the test says what happened.
rounds() {
    local log=$work/$1.log
    if ! cargo test --quiet -p weir-ovsdb-tools --test crash -- --nocapture no_acknowledged >"$log" 2>&1; then
        cat "$log" >&2
        fail "$1"
    fi
    say "$1: $(grep -o '[0-9]* rounds of kill -9.*' "$log")"
}
[ "$WEIR_CRASH_ROUNDS" -le 100 ] || rounds ovsdb-server
WEIR_CRASH_VSWITCHD=$(command -v ovs-vswitchd) rounds ovs-vswitchd
