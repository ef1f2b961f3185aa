#!/usr/bin/env bash
# Devices that are not there, go away and come back; arguments that cannot be. Each port says what is
# wrong with it, the others go on, and what can be mended mends itself.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24 br0 -- set interface "$(port b)" ofport_request=7
wait_for 10 reaches a 10.99.0.2

# refused NAME TEXT COLUMN=VALUE...: add-port exits with 65, the interface says why.
refused() {
    local name=$1 text=$2 status=0
    shift 2
    vsctl add-port br0 "$name" -- set interface "$name" "$@" 2>"$work/stderr" || status=$?
    [ $status = 65 ] || fail "add-port $name exits with $status: $(cat "$work/stderr")"
    [[ $(interface "$name" error) == *$text* ]] || fail "$name: $(interface "$name" error)"
    is "$name" ofport -1 || fail "$name has a number"
    reaches a 10.99.0.2 || fail "$name keeps others from working"
    [ "$name" = later ] || vsctl del-port "$name"
}
say "what cannot be is refused with its reason"
refused later "No such device" external_ids:x=y
refused d1 "options:dpdk-devargs is not set" type=dpdk
refused d2 "Error attaching device" type=dpdk options:dpdk-devargs=net_no_such_driver0
refused d3 "Error attaching device" type=dpdk options:dpdk-devargs=0000:7f:1f.7
refused d4 "Error attaching device" type=dpdk options:dpdk-devargs=net_af_packet1,iface=nosuchdev
refused d5 "No such file" type=dpdk options:dpdk-devargs=net_pcap1,rx_pcap=/no/such/file
refused d6 "options:vhost-server-path is not set" type=dpdkvhostuserclient
refused d7 "unknown" type=frob

say "a device that comes later is taken"
ip link add later type veth peer name other
links+=(later)
ip link set other up
wait_for 5 is later error "[]"
wait_for 5 is later link_state down
ip link set later up
wait_for 5 is later link_state up

say "a device that goes and comes back works again, with its number"
number=$(interface "$(port b)" ofport)
for _ in 1 2; do
    ip link del "$(port b)"
    gone() { [[ $(interface "$(port b)" error) == *"No such device"* ]]; }
    wait_for 5 gone
    wait_for 5 reaches a 10.99.0.1
    ip link add "$(port b)" type veth peer name eth0 netns "weir-b-$tag"
    ip link set "$(port b)" up
    ip -n "weir-b-$tag" link set eth0 up
    ip -n "weir-b-$tag" addr add 10.99.0.2/24 dev eth0
    # Its address is another.
    on a ip neigh flush dev eth0
    wait_for 10 reaches a 10.99.0.2
    is "$(port b)" error "[]" || fail "$(interface "$(port b)" error)"
    is "$(port b)" ofport "$number" || fail "the number is $(interface "$(port b)" ofport)"
done

say "a bridge's own device that is deleted comes back"
ip link del br0
wait_for 5 ip link show br0
