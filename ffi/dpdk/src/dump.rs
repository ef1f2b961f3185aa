//! Text that DPDK only prints to a `FILE`, as a `String`.

/// What `print` writes to the stream it is lent. Empty when there is no memory for it.
pub(crate) fn to_string(print: impl FnOnce(*mut libc::FILE)) -> String {
    let mut text: *mut libc::c_char = std::ptr::null_mut();
    let mut len: libc::size_t = 0;
    // SAFETY: both variables outlive the stream, which is closed below.
    let stream = unsafe { libc::open_memstream(&raw mut text, &raw mut len) };
    if stream.is_null() {
        return String::new();
    }
    print(stream);
    // SAFETY: opened above; closing makes `text` and `len` final.
    unsafe { libc::fclose(stream) };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: open_memstream's buffer of `len` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    let result = String::from_utf8_lossy(bytes).into_owned();
    // SAFETY: ours to free, and copied.
    unsafe { libc::free(text.cast()) };
    result
}

/// Heap statistics, as `dpdk/get-malloc-stats` prints them.
#[must_use]
pub fn malloc_stats() -> String {
    // SAFETY: the stream is lent for the call; null means every heap type.
    to_string(|stream| unsafe { dpdk_sys::rte_malloc_dump_stats(stream, std::ptr::null()) })
}

/// Reserved memory zones, as `dpdk/get-memzone-stats` prints them.
#[must_use]
pub fn memzones() -> String {
    // SAFETY: the stream is lent for the call.
    to_string(|stream| unsafe { dpdk_sys::rte_memzone_dump(stream) })
}

/// The logical cores and registered threads, as `dpdk/lcore-list` prints them.
#[must_use]
pub fn lcores() -> String {
    // SAFETY: the stream is lent for the call.
    to_string(|stream| unsafe { dpdk_sys::rte_lcore_dump(stream) })
}

/// Log types and their levels, as `dpdk/log-list` prints them.
#[must_use]
pub fn log_types() -> String {
    // SAFETY: the stream is lent for the call.
    to_string(|stream| unsafe { dpdk_sys::rte_log_dump(stream) })
}
