#!/usr/bin/env bash
# The IDL of Python's `ovs` package works with the database server.
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/clients/venv.sh"
need ovs-vswitchd
venv ovs

start_switch --enable-dummy=override
PYTHONWARNINGS=ignore timeout 100 python3 "$(dirname "$0")/clients/python_idl.py" "unix:$work/db.sock" || fail "see above"
