#!/usr/bin/env bash
# Random packets and an access control list, while flows, ports, threads and caches change at random;
# then every packet is accounted for. WEIR_CHURN_SECONDS makes it longer (scripts/guard/churn
# has the long form, under AddressSanitizer), WEIR_SEED repeats a run.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ovs-ofctl python3
[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"
seed=${WEIR_SEED:-$RANDOM} seconds=${WEIR_CHURN_SECONDS:-12} packets=20000
RANDOM=$seed
say "seed $seed"
python3 "$root/scripts/lib/acl.py" 1000 $packets "$seed" "$work/acl"
python3 "$root/scripts/lib/acl.py" 100 1 $((seed + 1)) "$work/other"

start_switch
vsctl set open . other_config:dpdk-extra="--no-huge -m 1024" other_config:pmd-cpu-mask=0x2
vsctl add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=secure
# dpdk_port NAME DEVARGS [COLUMN=VALUE]
dpdk_port() {
    vsctl --may-exist add-port br0 "$1" -- set interface "$1" type=dpdk options:dpdk-devargs="$2" ${3:+"$3"}
}
source_port() { dpdk_port source "net_pcap0,rx_pcap=$work/acl.pcap,infinite_rx=1" ofport_request=1; }
dpdk_port sink net_null0,no-rx=1 ofport_request=2
source_port
ovs-ofctl add-flows br0 "$work/acl.flows"

say "$seconds s of changes"
changes=0
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do
    case $((RANDOM % 12)) in
        0 | 1 | 2) shuf -n 20 --random-source=<(yes $RANDOM) "$work/other.flows" | ovs-ofctl add-flows br0 - ;;
        3) shuf -n 20 --random-source=<(yes $RANDOM) "$work/acl.flows" | ovs-ofctl --bundle add-flows br0 - ;;
        4) ovs-ofctl del-flows br0 "udp,nw_src=10.$((RANDOM % 256)).0.0/16" ;;
        5) ovs-ofctl mod-flows br0 "udp,nw_dst=11.$((RANDOM % 256)).0.0/16,actions=mod_nw_tos:32,output:2" ;;
        6) dpdk_port "extra$((RANDOM % 3))" "net_null$((3 + RANDOM % 3)),no-rx=$((RANDOM % 2))" 2>/dev/null || true ;;
        7) vsctl --if-exists del-port br0 "extra$((RANDOM % 3))" ;;
        8) vsctl set open . other_config:pmd-cpu-mask=0x$((2 + RANDOM % 2)) ;;
        9) vsctl set open . other_config:emc-insert-inv-prob=$((RANDOM % 3 * 50)) ;;
        10) appctl revalidator/purge ;;
        11) vsctl --if-exists del-port br0 source && source_port && appctl dpctl/dump-flows >/dev/null ;;
    esac
    changes=$((changes + 1))
done
kill -0 "$switch_pid" || fail "the switch ended"
say "$changes changes"

say "every packet of a capture is in a flow's counter, or dropped while its port was being added"
vsctl --if-exists del-port br0 source -- --if-exists del-port br0 extra0 -- --if-exists del-port br0 extra1 \
    -- --if-exists del-port br0 extra2
ovs-ofctl del-flows br0
ovs-ofctl add-flows br0 "$work/acl.flows"
early() { appctl coverage/read-counter drop_action_bridge_not_found; }
before=$(early)
dpdk_port once "net_pcap9,rx_pcap=$work/acl.pcap" ofport_request=1
counted() {
    sum=$(ovs-ofctl dump-flows br0 | sed -n 's/.*n_packets=\([0-9]*\),.*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }')
    dropped=$(($(early) - before))
    [ $((sum + dropped)) = $packets ]
}
for _ in $(seq 100); do
    ! counted || break
    sleep 0.1
done
[ $((sum + dropped)) = $packets ] || fail "$sum counted, $dropped dropped of $packets"
