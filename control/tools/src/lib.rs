//! ovs-ofctl, ovs-appctl, ovs-dpctl.
