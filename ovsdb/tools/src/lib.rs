//! ovsdb-server, ovsdb-client, ovsdb-tool, ovs-vsctl.
