#!/usr/bin/env bash
# A switch of dummy devices: packets from text, megaflows, trace, captures. Needs no root.
. "$(dirname "$0")/../lib/netns.sh"
need ovs-vswitchd ovs-vsctl ovs-ofctl ovs-appctl

start_switch --enable-dummy=override
vsctl add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure
vsctl add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 \
    -- add-port br0 p2 -- set interface p2 type=dummy ofport_request=2 \
        options:tx_pcap="$work/p2.pcap"
ovs-ofctl add-flow br0 in_port=1,tcp,tp_dst=80,actions=mod_nw_dst:10.0.0.9,2

flow='in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),'
flow+='ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=no),tcp(src=8,dst=80),tcp_flags(syn)'
for _ in 1 2 3; do appctl netdev-dummy/receive p1 "$flow"; done

say "the rule counted them"
counted() { ovs-ofctl dump-flows br0 | grep -q 'n_packets=3,'; }
wait_for 10 counted
say "the megaflow is as narrow as the rule"
megaflow='recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(dst=10.0.0.2,proto=6,frag=no),tcp(dst=80),'
appctl dpctl/dump-flows | grep -F "$megaflow" | grep -qF 'actions:set(ipv4(dst=10.0.0.9)),2' ||
    fail "$(appctl dpctl/dump-flows)"
say "trace tells the same"
appctl ofproto/trace br0 in_port=1,tcp,nw_dst=10.0.0.2,tp_dst=80 |
    grep -qFx 'Datapath actions: set(ipv4(dst=10.0.0.9)),2' || fail "ofproto/trace"
say "they left by p2"
sent=$(($(stat -c %s "$work/p2.pcap") - 24))
[ $sent = $((3 * (16 + 54))) ] || fail "p2 sent $sent bytes of capture"
