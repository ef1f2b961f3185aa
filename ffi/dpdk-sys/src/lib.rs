//! Raw bindings to the distribution's libdpdk, with a C shim for its inline functions.
//!
//! Nothing but generated items: `build.rs` lists what is bound, `wrapper.h` the headers and the
//! by-value copies of constants, `shim.h` the inline functions made callable. `weir-dpdk` is the safe
//! layer over this.
#![no_std]
#![expect(
    missing_docs,
    missing_debug_implementations,
    non_camel_case_types,
    unused_qualifications,
    reason = "generated from C headers"
)]
#![expect(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    clippy::ptr_as_ptr,
    clippy::use_self,
    clippy::semicolon_if_nothing_returned,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated from C headers"
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
