#!/usr/bin/env bash
# The deployed start script, Debian's ovs-ctl, starts, restarts and stops Weir's daemons in place of
# those it was written for; flows and port numbers survive the restart.
. "$(dirname "$0")/../lib/netns.sh"
ctl=/usr/share/openvswitch/scripts/ovs-ctl
need_root
need ip ping "$ctl"

mkdir -p "$work"/{bin,etc/openvswitch}
for program in "$WEIR_BIN"/ovs*; do
    [ -x "$program" ] && ln -s "$program" "$work/bin/"
done
export OVS_PKGDATADIR=/usr/share/openvswitch OVS_SYSCONFDIR=$work/etc
export OVS_BINDIR=$work/bin OVS_SBINDIR=$work/bin PATH=$work/bin:$PATH
ovs_ctl() { timeout 60 "$ctl" --no-mlockall --system-id=weir-test "$@"; }
stop_all() {
    local status=$?
    ovs_ctl stop >/dev/null 2>&1 || true
    (exit $status)
    cleanup
}
trap stop_all EXIT

ovs_ctl start >"$work/start.out" 2>&1 || { cat "$work/start.out"; fail "start"; }
vsctl --no-wait get Open_vSwitch . external_ids:system-id | grep -q weir-test || fail "no system-id"
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
host a 10.99.0.1/24
host b 10.99.0.2/24 br0 -- set interface "$(port b)" ofport_request=7
ovs-ofctl add-flow br0 "priority=5,ip,nw_dst=10.99.0.99,actions=drop"
ovs-ofctl add-flow br0 "table=3,cookie=0x17,tcp,tp_dst=80,actions=output:7"
ovs-ofctl del-flows br0 "cookie=0/-1,table=0,arp"
flows() { ovs-ofctl --no-stats dump-flows br0 | sort; }
wait_for 10 reaches a 10.99.0.2
before=$(flows)

ovs_ctl restart >"$work/restart.out" 2>&1 || { cat "$work/restart.out"; fail "restart"; }
# The bridges are there when the script is done: nothing waits here.
[ "$(flows)" = "$before" ] || fail "other flows than before: $(flows)"
[ "$(vsctl get interface "$(port b)" ofport)" = 7 ] || fail "another port number than before"
wait_for 10 reaches a 10.99.0.2
! grep -E 'OFPT_ERROR|ovs-(ofctl|vsctl|appctl):' "$work/restart.out" || fail "the restart reported errors"

ovs_ctl status | grep -c 'is running with pid' | grep -qx 2 || fail "status: $(ovs_ctl status)"
ovs_ctl stop >/dev/null || fail "stop"
! ovs_ctl status >/dev/null || fail "status of stopped daemons"
