#!/usr/bin/env bash
# Two hosts reach each other through a bridge that learns, over IPv4 and with full-sized packets.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24
wait_for 10 reaches a 10.99.0.2
reaches b 10.99.0.1 || fail "b does not reach a"
on a ping -q -c 2 -i 0.2 -s 1472 -M do 10.99.0.2 >/dev/null || fail "packets of 1500 bytes are lost"

say "both stations were learned"
[ "$(appctl fdb/show br0 | tail -n +2 | wc -l)" -ge 2 ] || fail "$(appctl fdb/show br0)"
say "a megaflow carries the packets"
appctl dpctl/dump-flows | grep -q 'eth_type(0x0800),ipv4(' || fail "$(appctl dpctl/dump-flows)"
