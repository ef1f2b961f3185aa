#!/usr/bin/env bash
# TCP between hosts with the kernel's default offloads: no ethtool, every byte arrives.
. "$(dirname "$0")/../lib/netns.sh"
need_root
need ovs-vswitchd ovs-vsctl ip iperf3

start_switch
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24
wait_for 10 reaches a 10.99.0.2

on b iperf3 -s -1 -D --logfile "$work/iperf3.log" --pidfile "$work/iperf3.pid"
sleep 0.5
on a iperf3 -c 10.99.0.2 -n 50M --connect-timeout 3000 >"$work/client" 2>&1 ||
    fail "$(tail -n 3 "$work/client")"
say "$(grep -w receiver "$work/client")"
