#!/usr/bin/env bash
# Receive queues are divided among PMD threads as the installed Open vSwitch divides them: the same
# configurations with dummy-pmd ports on made-up cores and NUMA nodes, and the texts of
# `dpif-netdev/pmd-rxq-show` after each step compared. Needs no root. PEER_BIN and WEIR_BIN say where
# the programs are.
. "$(dirname "$0")/../lib/netns.sh"
need ovs-vswitchd ovs-vsctl ovs-appctl
PEER_BIN=${PEER_BIN:-/usr/sbin}
[ -x "$PEER_BIN/ovs-vswitchd" ] || skip "there is no Open vSwitch to compare with"

base=$work path=$PATH step=0
# What the threads have to do is left out: nobody sends.
show() {
    step=$((step + 1))
    echo "== $step: $*"
    # The last vsctl waited for the configuration, so this is what came of it.
    appctl dpif-netdev/pmd-rxq-show | sed -E 's/(usage:|overhead:) +(NOT AVAIL|[0-9]+ %)$/\1 -/'
}
config() { vsctl set Open_vSwitch . "${@/#/other_config:}"; }
port() { vsctl add-port br0 "$1" -- set interface "$1" type=dummy-pmd "${@:2}"; }
affinity() { vsctl set interface "$1" other_config:pmd-rxq-affinity="\"$2\""; }

refused() { appctl "$@" 2>&1 | sed "s|$work|...|" || true; }

# shape: pmd-perf-show without what was measured; the walls of the histograms stay.
shape() {
    awk '/^Histograms/ { walls = 1 } /^---/ { walls = 0 }
        walls && NF == 14 { print $1, $3, $5, $7, $9, $11, $13, length($0); next }
        { gsub(/[0-9.]+/, "N"); gsub(/ +/, " "); gsub(/\( /, "("); print }'
}

# Without a port for them the peer has no PMD threads, queues of several ports in turn are in an order
# of its own, and so are nodes that take the queues of another: those are not compared.
scenario() {
    vsctl add-br br0 -- set bridge br0 datapath_type=dummy -- set Open_vSwitch . other_config:pmd-cpu-mask=0xe
    port p10 options:n_rxq=4
    show "a port"
    port p2 options:n_rxq=3
    show "another, of a lower number"
    vsctl set interface p2 options:n_rxq=5
    show "more queues"
    affinity p2 0:1,1:3,4:1
    show "pinned queues isolate"
    affinity p2 "0:1,1:9 7:2"
    show "a core without a thread, a queue that is not there"
    affinity p2 0:1,0:2
    show "the last of a queue counts"
    affinity p2 0:1,1:2,2:3
    show "all isolated: the others are not polled"
    config pmd-rxq-isolate=false
    show "not isolated, but only with group"
    config pmd-rxq-assign=group
    show "group, not isolated"
    config pmd-rxq-isolate=true
    show "group, isolated"
    config pmd-rxq-assign=frob
    show "no such assignment"
    vsctl remove interface p2 other_config pmd-rxq-affinity
    show "not pinned any more"
    vsctl del-port p2
    show "a port goes"
    config pmd-rxq-assign=roundrobin
    show "in turn"
    config pmd-cpu-mask=0x1f
    show "in turn, two nodes"
    config pmd-rxq-assign=group
    show "group, two nodes"
    vsctl remove Open_vSwitch . other_config pmd-rxq-assign
    port q1 options:n_rxq=3 options:numa_id=1
    port q3 options:n_rxq=5
    show "cycles, two nodes"
    affinity q1 0:4
    show "the second node is isolated"
    affinity p10 0:0,1:1,2:2,3:3
    show "all are isolated"
    config pmd-cpu-mask=0x70
    affinity p10 0:4,1:5
    show "other threads, on other nodes"
    affinity p10 ""
    affinity q1 ""
    vsctl remove Open_vSwitch . other_config pmd-cpu-mask
    show "a thread a node"
    vsctl set interface q3 options:n_rxq=0
    show "no number of queues"
    appctl dpif-netdev/pmd-rxq-rebalance
    show "rebalanced"
    appctl dpif-netdev/pmd-rxq-show -pmd 4 -secs 12 | sed -n 1,3p
    appctl dpif-netdev/pmd-rxq-show -pmd 99
    refused dpif-netdev/pmd-rxq-rebalance frob
    appctl dpif-netdev/pmd-stats-show -pmd 4 | grep -v cycles
    config pmd-perf-metrics=true
    sleep 0.3
    appctl dpif-netdev/pmd-perf-show -it 1 -ms 1 -pmd 4 | shape
    appctl dpif-netdev/pmd-perf-show -nh -ms x | shape
    appctl dpif-netdev/pmd-perf-log-set -us 300 -e
    refused dpif-netdev/pmd-perf-log-set on -b
    refused dpif-netdev/pmd-perf-log-set frob
    # What can be exchanged in the peer is one of a kind in Weir.
    appctl dpif-netdev/dpif-impl-get
    appctl dpif-netdev/miniflow-parser-get | grep -v -e autovalidator -e study
    appctl dpif-netdev/subtable-lookup-info-get | grep -v autovalidator
    appctl odp-execute/action-impl-show | grep -v autovalidator
    appctl dpif-netdev/dpif-impl-set dpif_scalar
    refused dpif-netdev/dpif-impl-set frob
    appctl dpif-netdev/miniflow-parser-set -pmd 4 scalar
    refused dpif-netdev/miniflow-parser-set -pmd 99 scalar
    refused dpif-netdev/miniflow-parser-set frob
    appctl dpif-netdev/subtable-lookup-prio-set generic 1
    refused dpif-netdev/subtable-lookup-prio-set frob 1
    refused odp-execute/action-impl-set frob
    appctl dpif-netdev/bond-show
    refused dpif-netdev/bond-show frob
    echo "== end"
}

# run NAME BIN: the scenario with one of the switches.
run() {
    work=$base/$1 step=0
    mkdir -p "$work"
    export OVS_RUNDIR=$work OVS_DBDIR=$work OVS_LOGDIR=$work OVS_SYSCONFDIR=$work PATH=$2:$path
    start_switch --enable-dummy=override --dummy-numa=0,0,0,0,1,1,8
    scenario >"$base/$1.txt"
    # The peer's threads never rest.
    kill "$switch_pid"
}
run peer "$PEER_BIN"
run weir "$WEIR_BIN"
work=$base
cd "$base"
grep -qx '== end' weir.txt || fail "the scenario ended early: $(tail -n 3 weir.txt)"
diff -U 12 peer.txt weir.txt || fail "Weir (+) and the peer (-) differ"
say "$(grep -c '^== [0-9]' weir.txt) configurations, the same texts"
