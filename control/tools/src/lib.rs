//! ovs-ofctl, ovs-appctl, ovs-dpctl.
#![forbid(unsafe_code)]

pub mod appctl;
pub mod dpctl;
pub mod ofctl;
