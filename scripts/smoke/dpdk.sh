#!/usr/bin/env bash
# Ports of type dpdk on what a machine without a spare card has: captures, kernel devices by af_packet
# and af_xdp, shared memory with another program (memif). Their MTU and queues change while they run.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-ofctl ip ping tcpdump

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
dpdk() { vsctl add-port br0 "$1" -- set interface "$1" type=dpdk options:dpdk-devargs="$2" "${@:3}"; }

say "net_pcap: every frame of a capture comes out of another, to the byte"
frame=ffffffffffff0200000000010800$(printf '45%038d' 0)$(printf '%060d' 7)
capture "$work/in.pcap" "$frame" "${frame/07/08}" "$frame"
ovs-ofctl add-flow br0 priority=9,in_port=20,actions=21
dpdk out net_pcap_out,tx_pcap="$work/out.pcap" ofport_request=21
dpdk in net_pcap_in,rx_pcap="$work/in.pcap" ofport_request=20
# What came before the rules is lost; a device that is started anew plays again.
sleep 1
vsctl set interface in options:n_rxq_desc=1024
sleep 1
vsctl del-port in -- del-port out
heard() { tcpdump -r "$1" -XX -t -n ether src 02:00:00:00:00:01 2>/dev/null; }
played=$(heard "$work/in.pcap")
[[ $(heard "$work/out.pcap") == *"$played" ]] || fail "other bytes came out"

say "net_af_packet on a kernel device, which changes while it runs"
space b 10.99.0.2/24
dpdk p0 "net_af_packet0,iface=$(port b)"
wait_for 10 reaches a 10.99.0.2
number=$(interface p0 status:port_no)
vsctl set interface p0 options:n_rxq_desc=1024
reaches a 10.99.0.2 || fail "lost after a change of descriptors"
vsctl set interface p0 mtu_request=1400
is p0 mtu 1400 || fail "the MTU is $(interface p0 mtu): $(interface p0 error)"
reaches a 10.99.0.2 || fail "lost after a change of MTU"
is p0 status:port_no "$number" || fail "the device was closed"
vsctl del-port p0

say "net_af_xdp, whose driver can be configured once only, says so and goes on"
dpdk p0 "net_af_xdp0,iface=$(port b)"
wait_for 10 reaches a 10.99.0.2
vsctl set interface p0 options:n_rxq_desc=1024
[[ $(interface p0 error) == *"restart ovs-vswitchd"* ]] || fail "$(interface p0 error)"
reaches a 10.99.0.2 || fail "lost after a refused change"
vsctl remove interface p0 options n_rxq_desc
is p0 error "[]" || fail "$(interface p0 error)"
vsctl del-port p0

say "net_memif to another program"
command -v dpdk-testpmd >/dev/null || { say "skipped: memif: there is no dpdk-testpmd"; exit 0; }
memif() { echo "net_memif0,role=$1,socket-abstract=no,socket=$work/memif"; }
dpdk p0 "$(memif server)"
for n in 9 10; do
    echo_peer "$(memif client)"
    wait_for 20 reaches a 10.99.0.$n
    end "$peer_pid"
done
vsctl del-port p0
rm -f "$work/memif"
echo_peer "$(memif server)"
# The driver of a client connects once, and is sent away by a server that is not started yet.
wait_for 10 grep -q 'start packet forwarding' "$work/testpmd.log"
dpdk p0 "$(memif client)"
wait_for 20 reaches a 10.99.0.11
