//! Large tables on huge pages, so that a random look-up costs one miss and not two.

use rustix::mm::{Advice, madvise};

/// Below this the kernel has no huge page to give.
const HUGE_PAGE: usize = 2 << 20;

/// Asks the kernel to back the unused capacity of a vector by huge pages, which works for memory that
/// was not touched yet. A kernel that has none is as good.
pub(crate) fn advise<T>(table: &mut Vec<T>) {
    let spare = table.spare_capacity_mut();
    let bytes = size_of_val(spare);
    if bytes < HUGE_PAGE {
        return;
    }
    let start = spare.as_mut_ptr().cast::<core::ffi::c_void>();
    let skip = start.align_offset(4096);
    let len = bytes.saturating_sub(skip) / 4096 * 4096;
    // SAFETY: whole pages within an allocation of ours; the advice changes no content.
    let _ = unsafe { madvise(start.wrapping_byte_add(skip), len, Advice::LinuxHugepage) };
}
