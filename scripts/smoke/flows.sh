#!/usr/bin/env bash
# OpenFlow rules take effect at once, on established traffic too, and count their packets.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-ofctl ip ping

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24
wait_for 10 reaches a 10.99.0.2

say "a rule that drops stops traffic that has a megaflow"
ovs-ofctl add-flow br0 priority=10,icmp,actions=drop
sleep 0.5
! reaches a 10.99.0.2 || fail "packets pass in spite of the rule"
say "without it they pass again"
ovs-ofctl --strict del-flows br0 priority=10,icmp
wait_for 5 reaches a 10.99.0.2

say "a rule counts the packets it rewrote"
ovs-ofctl add-flow br0 "priority=20,icmp,nw_src=10.99.0.1,actions=mod_nw_tos:32,normal"
sleep 0.5
on a ping -q -c 5 -i 0.1 -W 1 10.99.0.2 >/dev/null || fail "packets are lost"
counted() { ovs-ofctl dump-flows br0 icmp | grep -q 'n_packets=[5-9],'; }
for _ in $(seq 50); do
    counted && exit 0
    sleep 0.2
done
fail "$(ovs-ofctl dump-flows br0)"
