#!/usr/bin/env bash
# PMD threads come, go and rest while packets pass; memory is plain or in huge pages; packets that make
# no sense are counted by reason.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-ofctl ip ping
[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"

start_switch
vsctl set open . other_config:dpdk-extra="--no-huge -m 512"
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24
wait_for 10 reaches a 10.99.0.2
grep -q -e "EAL ARGS.* --no-huge" "$work/switch.log" || fail "memory is not plain"
pmd() { vsctl set open . other_config:"$1"; }

say "no packet is lost or doubled while threads come and go"
on a ping -q -i 0.01 -c 400 -W 2 10.99.0.2 >"$work/ping" &
ping=$!
for mask in 0x2 0x3 0x1 0x3 0x2; do
    pmd pmd-cpu-mask=$mask
    sleep 0.6
done
wait $ping || true
grep -q '400 packets transmitted, 400 received, 0% packet loss' "$work/ping" || fail "$(cat "$work/ping")"
appctl dpif-netdev/pmd-rxq-show | grep -q 'core_id 1:' || fail "$(appctl dpif-netdev/pmd-rxq-show)"

say "what packets took is known"
appctl dpif-netdev/latency-set on 1/1
reaches a 10.99.0.2
timed() { appctl dpif-netdev/latency-show | awk '$1 == "poll-to-transmit" && $2 >= 6 && $8 >= $3 && $3 > 0 { n++ } END { exit !n }'; }
timed || fail "$(appctl dpif-netdev/latency-show)"
appctl -f json dpif-netdev/latency-show | grep -q '"p99.99":[1-9]' || fail "$(appctl -f json dpif-netdev/latency-show)"
appctl dpif-netdev/latency-set off

say "a thread with nothing to do sleeps"
vsctl add-port br0 p0 -- set interface p0 type=dpdk options:dpdk-devargs=net_null0,no-rx=1
pmd pmd-sleep-max=100
used() { awk '{ print $14 + $15 }' /proc/"$switch_pid"/task/*/stat | sort -n | tail -n 1; }
sleep 1
before=$(used)
sleep 2
spent=$(($(used) - before))
[ $spent -lt 100 ] || fail "a sleeping thread used $spent of 200 ticks"
reaches a 10.99.0.2 || fail "asleep for good"

say "packets wait for others to leave with them"
pmd pmd-sleep-max=0
pmd tx-flush-interval=1000000
! on a ping -q -c 1 -W 0.5 10.99.0.2 >/dev/null || fail "they do not wait"
pmd tx-flush-interval=100
reaches a 10.99.0.2 || fail "they do not leave"
pmd tx-flush-interval=0

say "packets that make no sense are counted"
reason() { appctl coverage/read-counter "$1"; }
capture "$work/bad.pcap" 02 ffffffffffff02000000 ffffffffffff020000000001
before=$(reason datapath_drop_rx_invalid_packet)
vsctl add-port br0 bad -- set interface bad type=dpdk options:dpdk-devargs="net_pcap0,rx_pcap=$work/bad.pcap"
counted() { [ $(($(reason datapath_drop_rx_invalid_packet) - before)) = 3 ]; }
wait_for 10 counted
say "so are those that the tables drop"
ovs-ofctl add-flow br0 priority=99,icmp,actions=drop
before=$(reason drop_action_of_pipeline)
! reaches a 10.99.0.2 || fail "not dropped"
[ $(($(reason drop_action_of_pipeline) - before)) -ge 3 ] || fail "$(appctl coverage/show | grep drop)"

say "a port of which every packet is a miss has its share, and no more while others wait"
frames=()
for i in {0..255}; do
    frames+=("$(printf '02000000000202000000000108004500002e00000000401100000a%06x0b00000103e807d0001a0000%036x' "$i" 0)")
done
capture "$work/storm.pcap" "${frames[@]}"
capture "$work/calm.pcap" "${frames[@]:0:1}" "${frames[@]:0:1}"
ovs-ofctl del-flows br0
ovs-ofctl add-flow br0 actions=output:p0
pmd pmd-sleep-max=0
appctl upcall/disable-megaflows
vsctl set open . other_config:flow-limit=1
source_port() { vsctl add-port br0 "$1" -- set interface "$1" type=dpdk options:dpdk-devargs="net_pcap_$1,rx_pcap=$work/$1.pcap,infinite_rx=1"; }
source_port storm
refused() { appctl dpif-netdev/miss-show | awk -v port="$1" '$2 == port { print $NF }'; }
sleep 1
[ "$(refused storm)" = 0 ] || fail "nobody waits: $(appctl dpif-netdev/miss-show)"
source_port calm
bounded() { [ "$(refused storm)" -gt 1000 ]; }
wait_for 10 bounded
stored() { [ "$(vsctl get interface storm statistics:rx_miss_budget_drops)" -gt 0 ]; }
wait_for 10 stored
pmd pmd-miss-share=100
sleep 1
before=$(refused storm)
sleep 1
[ "$(refused storm)" = "$before" ] || fail "bounded all the same: $(appctl dpif-netdev/miss-show)"
