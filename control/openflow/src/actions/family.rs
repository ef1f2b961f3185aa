//! Wire and text of each action, one file for those that belong together. A file has for each of its
//! actions a function that reads its wire forms (`decode*`), writes them (`encode*`), reads its text
//! (`parse*`), writes it (`format*`) and, where there is something to check, checks it (`check*`).

pub(crate) mod conntrack;
pub(crate) mod controller;
pub(crate) mod encap;
pub(crate) mod fields;
pub(crate) mod hash;
pub(crate) mod header;
pub(crate) mod instruction;
pub(crate) mod learn;
pub(crate) mod mpls;
pub(crate) mod nat;
pub(crate) mod output;
pub(crate) mod pipeline;
pub(crate) mod registers;
pub(crate) mod resubmit;
pub(crate) mod sample;
pub(crate) mod set_field;
pub(crate) mod ttl;
pub(crate) mod tunnel;
pub(crate) mod vlan;
