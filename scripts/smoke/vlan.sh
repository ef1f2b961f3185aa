#!/usr/bin/env bash
# Access ports of different VLANs do not hear each other; a trunk hears both, with their tags.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping tcpdump

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24 br0 tag=5
host b 10.99.0.2/24 br0 tag=5
host c 10.99.0.3/24 br0 tag=6
host t 10.99.1.4/24 br0 trunks=5,7
wait_for 10 reaches a 10.99.0.2
! reaches a 10.99.0.3 || fail "VLAN 6 hears VLAN 5"

# Who has an address that nobody has? Everyone is asked.
on t tcpdump -l -e -n -i eth0 arp >"$work/heard" 2>/dev/null &
pids+=($!)
sleep 1
! on a ping -q -c 2 -W 1 10.99.0.77 >/dev/null
! on c ping -q -c 2 -W 1 10.99.0.78 >/dev/null
say "the trunk hears VLAN 5 with its tag, and not VLAN 6, which it does not carry"
wait_for 5 grep -q 'vlan 5,.* who-has 10.99.0.77' "$work/heard"
! grep -q 10.99.0.78 "$work/heard" || fail "$(cat "$work/heard")"
