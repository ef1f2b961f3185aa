#!/usr/bin/env bash
# Kernel devices with the kernel's default offloads, on every kind of path: system to system, to an
# internal port, over a patch port, tagged over a wire; TCP and UDP over IPv4 and IPv6, with jumbo
# frames, in fragments. What arrives is whole, and no receiver sees a wrong checksum.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping iperf3 tcpdump

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev \
    -- add-br br1 -- set bridge br1 datapath_type=netdev \
    -- add-port br0 to1 trunks=0 -- set interface to1 type=patch options:peer=to0 \
    -- add-port br1 to0 trunks=0 -- set interface to0 type=patch options:peer=to1
host a 10.99.0.1/24
host b 10.99.0.2/24
host c 10.99.0.3/24 br1
# d is a namespace with an internal port in it.
space d 10.98.0.4/24
vsctl add-port br0 "i$tag" -- set interface "i$tag" type=internal
ip link set "i$tag" netns "weir-d-$tag"
on d ip link set "i$tag" up
on d ip addr add 10.99.0.4/24 dev "i$tag"

# e and f are in VLAN 7, which crosses between the bridges by a wire.
ip link add "x0$tag" type veth peer name "x1$tag"
links+=("x0$tag")
ip link set "x0$tag" up
ip link set "x1$tag" up
vsctl add-port br0 "x0$tag" trunks=7 -- add-port br1 "x1$tag" trunks=7
host e 10.99.0.5/24 br0 tag=7
host f 10.99.0.6/24 br1 tag=7

hosts="a b c d e f"
n=0
for host in $hosts; do
    n=$((n + 1)) dev=eth0
    [ $host != d ] || dev=i$tag
    on $host ip -6 addr add fd99::$n/64 dev "$dev" nodad
    on $host iperf3 -s -D --logfile "$work/$host.iperf3" --pidfile "$work/$host.pid"
done
stop_servers() { for host in $hosts; do kill "$(tr -d '\0' <"$work/$host.pid")" 2>/dev/null; done; }
trap 'stop_servers; cleanup' EXIT

# Wrong checksums that the hosts have seen.
wrong() {
    for host in $hosts; do
        on $host cat /proc/net/snmp /proc/net/snmp6 /proc/net/netstat
    done | awk '/^(Tcp|Udp|Icmp|TcpExt):/ { if (!($1 in names)) { names[$1] = $0; next }
            k = split(names[$1], name); split($0, value); delete names[$1]
            for (i = 2; i <= k; i++) if (name[i] ~ /Csum/) sum += value[i] }
        /^(Udp6|Icmp6)InCsumErrors/ { sum += $2 }
        END { print sum + 0 }'
}
transfer() { # FROM ADDRESS OPTION...
    local from=$1 to=$2
    shift 2
    on "$from" iperf3 -c "$to" --connect-timeout 5000 "$@" >"$work/client" 2>&1 ||
        fail "$from to $to $*: $(tail -n 3 "$work/client")"
}
udp() { # As transfer, and most of it must arrive.
    transfer "$@" -u -b 20M -t 1
    local lost
    lost=$(sed -n 's/.*(\([0-9.e+-]*\)%).*receiver.*/\1/p' "$work/client")
    awk "BEGIN { exit !(\"$lost\" != \"\" && $lost < 20) }" || fail "$* lost '$lost' %: $(tail -n 4 "$work/client")"
}
before=$(wrong)
for pair in "a 2" "a 3" "a 4" "d 1" "e 6"; do
    read -r from n <<<"$pair"
    say "$from to host $n"
    wait_for 10 reaches "$from" 10.99.0.$n
    transfer "$from" 10.99.0.$n -n 20M
    transfer "$from" fd99::$n -n 20M
    udp "$from" 10.99.0.$n -l 1400
    udp "$from" fd99::$n -l 1400
    # In fragments.
    udp "$from" 10.99.0.$n -l 8000
    udp "$from" fd99::$n -l 8000
done
say "jumbo frames"
for host in a b; do
    ip link set "$(port $host)" mtu 9000
    on $host ip link set eth0 mtu 9000
done
wait_for 5 is "$(port b)" mtu 9000
on a ping -q -c 2 -W 2 -M do -s 8972 10.99.0.2 >/dev/null || fail "packets of 9000 bytes are lost"
transfer a 10.99.0.2 -n 20M
udp a 10.99.0.2 -l 8900
after=$(wrong)
[ "$before" = "$after" ] || fail "$((after - before)) wrong checksums"
