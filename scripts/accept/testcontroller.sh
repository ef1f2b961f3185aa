#!/usr/bin/env bash
# Open vSwitch's own test controller turns a bridge into a learning switch.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-testcontroller ip ping

# Other tests may have a br0.
bridge=wbr$tag
start_switch
vsctl add-br "$bridge" -- set bridge "$bridge" datapath_type=netdev fail_mode=secure
host a 10.99.0.1/24 "$bridge"
host b 10.99.0.2/24 "$bridge"
say "without a controller nothing passes"
sleep 1
! reaches a 10.99.0.2 || fail "packets pass without a controller"

ovs-testcontroller -vconsole:off --log-file="$work/controller.log" --unixctl="$work/controller.ctl" \
    "punix:$work/controller.sock" </dev/null &
pids+=($!)
wait_for 10 test -S "$work/controller.sock"
vsctl set-controller "$bridge" "unix:$work/controller.sock"
say "the controller connects"
connected() { [ "$(vsctl get controller "$bridge" is_connected)" = true ]; }
wait_for 20 connected
wait_for 20 reaches a 10.99.0.2
reaches b 10.99.0.1 || fail "b does not reach a"
say "its flows show"
. "$(dirname "$0")/clients/flows.sh"
flows_show "$bridge" 'icmp.*actions=output:'

say "a switch that was killed gets its flows again"
kill -KILL "$switch_pid"
wait "$switch_pid" 2>/dev/null || true
rm -f "$work/switch.ctl"
start_switch
wait_for 20 reaches a 10.99.0.2
flows_show "$bridge" 'icmp.*actions=output:'
