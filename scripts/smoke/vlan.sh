#!/usr/bin/env bash
# Access ports of different VLANs do not hear each other; a trunk carries tags.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24 br0 tag=5
host b 10.99.0.2/24 br0 tag=5
host c 10.99.0.3/24 br0 tag=6
host t 10.99.1.4/24
wait_for 10 reaches a 10.99.0.2
! reaches a 10.99.0.3 || fail "VLAN 6 hears VLAN 5"

say "the trunk's host speaks VLAN 5"
on t ip link add link eth0 name eth0.5 type vlan id 5 2>/dev/null ||
    skip "access ports pass, but the kernel has no VLAN devices to test a trunk with"
on t ip addr add 10.99.0.4/24 dev eth0.5
on t ip link set eth0.5 up
wait_for 5 reaches a 10.99.0.4
! reaches c 10.99.0.4 || fail "VLAN 6 hears VLAN 5 of the trunk"
