#!/usr/bin/env bash
# os-ken's simple_switch_13 (OpenFlow 1.3) turns a bridge into a learning switch.
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/clients/venv.sh"
. "$(dirname "$0")/clients/flows.sh"
need_root
need ovs-vswitchd ovs-vsctl ip ping
# From 3.1 on there is no osken-manager, and after 0.3.1 the applications are not in the package any
# more; they run with newer libraries.
venv 'os-ken<3.1'
outside pip download -q --disable-pip-version-check --no-deps -d "$work/old" os-ken==0.3.1 >"$work/pip.txt" 2>&1 ||
    skip "pip cannot download os-ken 0.3.1 ($(tail -n 1 "$work/pip.txt"))"
python3 -m zipfile -e "$work"/old/os_ken-0.3.1-*.whl "$work/old"
app=$work/old/os_ken/app/simple_switch_13.py

# Other tests may have a br0.
bridge=wbr$tag
start_switch
vsctl add-br "$bridge" -- set bridge "$bridge" datapath_type=netdev fail_mode=secure protocols=OpenFlow10,OpenFlow13
host a 10.99.0.1/24 "$bridge"
host b 10.99.0.2/24 "$bridge"
of_port=$((20000 + tag % 20000))
osken-manager --ofp-tcp-listen-port $of_port --log-file "$work/os-ken.log" "$app" \
    </dev/null >"$work/os-ken.out" 2>&1 &
pids+=($!)
vsctl set-controller "$bridge" "tcp:127.0.0.1:$of_port"
say "the controller connects"
connected() { [ "$(vsctl get controller "$bridge" is_connected)" = true ]; }
wait_for 40 connected
wait_for 20 reaches a 10.99.0.2
reaches b 10.99.0.1 || fail "b does not reach a"
say "its flows show"
flows_show "$bridge" 'priority=0 actions=CONTROLLER:65535' -O OpenFlow13
flows_show "$bridge" 'priority=1,in_port=.*dl_dst=.*actions=output:' -O OpenFlow13
grep -q 'packet in' "$work"/os-ken.* || fail "the controller saw no packet"
! grep -E 'Traceback|ErrorMsg' "$work"/os-ken.* || fail "the controller complains"
