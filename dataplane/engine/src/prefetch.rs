//! Asking the CPU for memory ahead of its use.

/// Asks for the cache line at `address` to be read soon.
#[inline(always)]
pub(crate) fn read<T>(address: &T) {
    let address = std::ptr::from_ref(address);
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that never faults, on every x86-64 CPU.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
