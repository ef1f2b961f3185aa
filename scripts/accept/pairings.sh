#!/usr/bin/env bash
# The same command lines through Debian's and Weir's tools on Debian's and Weir's daemons give the
# same output and exit codes: scripts/accept/pairings/commands.txt, and differences.txt for those
# that are meant to differ.
. "$(dirname "$0")/../lib/netns.sh"
need python3 /usr/bin/ovs-vsctl /usr/sbin/ovs-vswitchd
unset OVS_RUNDIR OVS_DBDIR OVS_LOGDIR OVS_SYSCONFDIR
python3 "$(dirname "$0")/pairings/run.py" "$WEIR_BIN" "$@"
