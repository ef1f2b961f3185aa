#!/usr/bin/env bash
# A guest's card (virtio_user in a program of its own) on ports of both vhost-user types: it comes, is
# killed, comes back; the switch is killed and comes back; the port goes.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping dpdk-testpmd

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
# Each time another address, so that the guest must hear and answer ARP.
last=10
guest_answers() { last=$((last + 1)) && wait_for 20 reaches a 10.99.0.$last; }

say "dpdkvhostuserclient: the guest has the socket"
sock=$work/guest.sock
vsctl add-port br0 v0 -- set interface v0 type=dpdkvhostuserclient options:vhost-server-path="$sock"
[ "$(interface v0 link_state)" = down ] || fail "up without a guest"
echo_peer "net_virtio_user0,path=$sock,server=1"
guest_answers
wait_for 5 is v0 status:status connected
wait_for 5 is v0 link_state up
vsctl set interface v0 options:tx-retries-max=0 mtu_request=2000
guest_answers

say "the guest is killed and comes back"
end "$peer_pid"
wait_for 5 is v0 status:status disconnected
rm -f "$sock"
echo_peer "net_virtio_user0,path=$sock,server=1"
guest_answers

say "the switch is killed and comes back"
end "$switch_pid"
rm -f "$work/switch.ctl"
start_switch
guest_answers
end "$peer_pid"
vsctl del-port v0

say "dpdkvhostuser: the switch has the socket"
vsctl add-port br0 v1 -- set interface v1 type=dpdkvhostuser
for _ in 1 2; do
    wait_for 5 test -S "$work/v1"
    echo_peer "net_virtio_user0,path=$work/v1"
    guest_answers
    end "$peer_pid"
    wait_for 5 is v1 status:status disconnected
done
vsctl del-port v1
[ ! -e "$work/v1" ] || fail "the socket stays"
