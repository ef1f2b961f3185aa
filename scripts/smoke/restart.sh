#!/usr/bin/env bash
# A switch that was killed comes back with its bridges, ports and port numbers.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-ofctl ip ping

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24 br0 -- set interface "$(port b)" ofport_request=7
wait_for 10 reaches a 10.99.0.2
# The bridge's own address is a new one: its ports' addresses were chosen by chance.
ports() { vsctl --columns=name,ofport list interface | sort
    vsctl --columns=name,mac_in_use find interface name!=br0 | sort; }
before=$(ports)

kill -KILL "$switch_pid"
wait "$switch_pid" 2>/dev/null || true
rm -f "$work/switch.ctl"
start_switch
wait_for 15 reaches a 10.99.0.2
[ "$(vsctl get interface "$(port b)" ofport)" = 7 ] || fail "the requested number is lost"
[ "$(ports)" = "$before" ] ||
    fail "numbers or addresses changed"
