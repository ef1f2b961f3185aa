#!/usr/bin/env bash
# ovs-ofctl mod-port takes ports down and brings them up: kernel devices, and DPDK's.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-ofctl ip ping

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24
wait_for 10 reaches a 10.99.0.2
a=$(port a)
# state DEVICE STATE: what the database and OpenFlow say of it.
state() {
    [ "$(vsctl get interface "$1" admin_state link_state | xargs)" = "$2 $2" ] || return
    local shown
    shown=$(ovs-ofctl show br0 | grep -A 3 "($1)" | sed -n 's/ *\(config\|state\): *//p' | xargs)
    case $2 in
        up) [ "$shown" = "0 0" ] ;;
        down) [ "$shown" = "PORT_DOWN LINK_DOWN" ] ;;
    esac
}

say "a kernel device goes down"
ovs-ofctl mod-port br0 "$a" down
wait_for 5 state "$a" down
ip -br link show "$a" | grep -q ' DOWN ' || fail "$(ip -br link show "$a")"
! reaches a 10.99.0.2 || fail "packets pass a port that is down"
say "and up, whoever took it down"
for by in "ovs-ofctl mod-port br0 $a down" "ip link set $a down"; do
    $by
    wait_for 5 state "$a" down
    ovs-ofctl mod-port br0 "$a" up
    wait_for 5 state "$a" up
    wait_for 5 reaches a 10.99.0.2
done

ovs-vswitchd --version | grep -q Weir || exit 0
say "nothing is received from a DPDK device that is down, and nothing sent to it"
vsctl set open . other_config:dpdk-init=true other_config:dpdk-extra="--no-huge -m 512 --no-pci"
for n in 0 1; do
    vsctl add-port br0 p$n -- set interface p$n type=dpdk options:dpdk-devargs=net_null$n,no-rx=$n
done
ovs-ofctl add-flow br0 priority=9,in_port=p0,actions=output:p1
count() { ovs-ofctl dump-ports br0 "$1" | sed -n "s/.*$2 pkts=\([0-9]*\),.*/\1/p"; }
# still PORT rx|tx: does its counter stand?
still() {
    local before
    before=$(count "$1" "$2")
    sleep 0.3
    [ "$(count "$1" "$2")" = "$before" ]
}
! still p1 tx || fail "no packet passes"
ovs-ofctl mod-port br0 p0 down
wait_for 5 state p0 down
wait_for 5 still p0 rx
ovs-ofctl mod-port br0 p0 up
wait_for 5 state p0 up
! still p0 rx || fail "nothing is received after it came up"
ovs-ofctl mod-port br0 p1 down
wait_for 5 still p1 tx
! still p0 rx || fail "the other port is down too"
