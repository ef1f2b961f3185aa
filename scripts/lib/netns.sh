# Sourced by smoke tests: a switch in a directory of its own, hosts in network namespaces, and their
# removal whatever happens. A test that fails leaves nothing behind; WEIR_DEBUG=1 traces every
# command, and keeps the directory with the logs.
#
# WEIR_BIN is where the programs are (default: target/release); WEIR_BIN=/usr/bin runs the tests
# against the installed Open vSwitch.

set -euo pipefail

# The switch gets a network of its own: the machine may have a br0 already.
if [ "$(id -u)" = 0 ] && [ -z "${WEIR_OWN_NET:-}" ] && command -v unshare >/dev/null; then
    exec {machine_net}</proc/self/ns/net
    WEIR_OWN_NET=$machine_net exec unshare --net -- bash -c 'ip link set lo up; exec "$@"' "$0" "$0" "$@"
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WEIR_BIN=${WEIR_BIN:-${CARGO_TARGET_DIR:-$root/target}/release}
export PATH=$WEIR_BIN:$PATH:/usr/sbin:/sbin

# Names of devices are 15 characters at most, and other tests may run beside this one.
tag=$((BASHPID % 100000))
work=$(mktemp -d /tmp/weir-smoke.XXXXXX)
export OVS_RUNDIR=$work OVS_DBDIR=$work OVS_LOGDIR=$work OVS_SYSCONFDIR=$work
pids=() spaces=() links=()

say() { echo "  $*"; }
fail() { echo "  FAILED: $*" >&2; exit 1; }

# outside COMMAND...: in the machine's network, from which packages come.
outside() {
    if [ -n "${WEIR_OWN_NET:-}" ]; then
        nsenter --net="/proc/self/fd/$WEIR_OWN_NET" "$@"
    else
        "$@"
    fi
}

# Ends the test as one that cannot run here.
skip() { echo "skipped: $(basename "$0" .sh): $*"; exit 77; }

need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "there is no $program"
    done
}
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

cleanup() {
    local status=$? pid
    trap - EXIT INT TERM
    set +e +x
    if [ $status != 0 ] && [ $status != 77 ]; then
        tail -n 20 "$work"/*.log 2>/dev/null | sed 's/^/  | /' >&2
    fi
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null
    done
    for pid in "${pids[@]}"; do
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    local name
    for name in "${spaces[@]}"; do ip netns del "$name" 2>/dev/null; done
    for name in "${links[@]}"; do ip link del "$name" 2>/dev/null; done
    if [ -n "${WEIR_DEBUG:-}" ]; then
        echo "  kept: $work" >&2
    else
        rm -rf "$work"
    fi
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM
[ -z "${WEIR_DEBUG:-}" ] || set -x

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local tries=$(($1 * 10))
    shift
    for _ in $(seq "$tries"); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "waited in vain for: $*"
}

# start_switch [OPTION...]: ovs-vswitchd, and ovs-vsctl and the like talk to it. It serves its own
# database; the installed Open vSwitch gets an ovsdb-server. The pid is in $switch_pid.
start_switch() {
    if ! ovs-vswitchd --version | grep -q Weir && [ ! -S "$work/db.sock" ]; then
        ovsdb-tool create "$work/conf.db" /usr/share/openvswitch/vswitch.ovsschema
        ovsdb-server -vconsole:off -vsyslog:off "$work/conf.db" --log-file="$work/ovsdb.log" \
            --remote=punix:"$work/db.sock" --unixctl="$work/ovsdb.ctl" </dev/null &
        pids+=($!)
        wait_for 10 test -S "$work/db.sock"
        ovs-vsctl --no-wait init
    fi
    ovs-vswitchd -vconsole:off -vsyslog:off --log-file="$work/switch.log" \
        --unixctl="$work/switch.ctl" "$@" </dev/null &
    switch_pid=$!
    pids+=("$switch_pid")
    wait_for 30 ovs-appctl -T 5 -t "$work/switch.ctl" version
    wait_for 10 ovs-vsctl --timeout=5 --no-wait get Open_vSwitch . db_version
}

vsctl() { ovs-vsctl --timeout=20 "$@"; }
appctl() { ovs-appctl -T 20 -t "$work/switch.ctl" "$@"; }

# host NAME ADDRESS/LENGTH [BRIDGE [COLUMN=VALUE...]]: a network namespace whose eth0 is on a port of
# the bridge (default br0). `on NAME COMMAND` runs a command there; $(port NAME) is the port.
host() {
    local name=$1 address=$2 bridge=${3:-br0}
    shift $(($# < 3 ? $# : 3))
    space "$name" "$address"
    vsctl add-port "$bridge" "$(port "$name")" "$@"
}
# space NAME ADDRESS/LENGTH: the same, but nobody has taken the other end of its wire yet.
space() {
    local ns=weir-$1-$tag link
    link=$(port "$1")
    ip netns add "$ns"
    spaces+=("$ns")
    ip link add "$link" type veth peer name eth0 netns "$ns"
    links+=("$link")
    ip link set "$link" up
    ip -n "$ns" link set lo up
    ip -n "$ns" link set eth0 up
    ip -n "$ns" addr add "$2" dev eth0
}
port() { echo "w$1$tag"; }
on() {
    local name=$1
    shift
    ip netns exec "weir-$name-$tag" "$@"
}

# Can the first host reach the address?
reaches() { on "$1" ping -q -c 3 -i 0.2 -W 1 "$2" >/dev/null; }

# echo_peer VDEV: a DPDK program of its own, which answers ARP and ping for any address on that device.
# Its pid is in $peer_pid.
echo_peer() {
    rm -f "$work/testpmd.log"
    dpdk-testpmd --lcores='0@(0-1),1@(0-1)' --no-huge -m 256 --no-pci --no-telemetry \
        --file-prefix="weir-$tag-$RANDOM" --vdev="$1" -- --forward-mode=icmpecho --stats-period=60 \
        --total-num-mbufs=8192 >"$work/testpmd.log" 2>&1 </dev/null &
    peer_pid=$!
    pids+=("$peer_pid")
}
# end PID: kills it, without a chance to say goodbye.
end() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null || true
}

# capture FILE HEX...: a capture file of these frames.
capture() {
    local file=$1 frame n
    shift
    {
        bytes d4c3b2a1020004000000000000000000ffff000001000000
        for frame in "$@"; do
            n=$(printf %08x $((${#frame} / 2)))
            n=${n:6:2}${n:4:2}${n:2:2}${n:0:2}
            bytes "0000000000000000$n$n$frame"
        done
    } >"$file"
}
# shellcheck disable=SC2059 # The format is the data.
bytes() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }

# interface NAME COLUMN[:KEY]: as the database has it, without quotes.
interface() { vsctl --if-exists get interface "$1" "$2" | tr -d '"'; }
# is NAME COLUMN[:KEY] VALUE: for wait_for.
is() { [ "$(interface "$1" "$2")" = "$3" ]; }
