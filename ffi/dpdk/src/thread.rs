//! Threads that DPDK knows.

use std::marker::PhantomData;

use crate::eal::Eal;
use crate::error::{DpdkError, Errno};

/// The calling thread's registration with DPDK: with it, mempools keep a cache for the thread, which
/// makes allocating and freeing several times cheaper. Ends when dropped, on the same thread.
#[derive(Debug)]
pub struct ThreadRegistration {
    // Belongs to its thread.
    _not_send: PhantomData<*const ()>,
}

impl ThreadRegistration {
    /// Registers the calling thread. The thread's CPU affinity is left as it is.
    ///
    /// # Errors
    /// Without an EAL, or when DPDK's table of threads (`RTE_MAX_LCORE`) is full: the thread can go
    /// on without.
    pub fn new() -> Result<Self, DpdkError> {
        Eal::get().ok_or(DpdkError::NotInitialised)?;
        // SAFETY: registers the calling thread; once more for a registered thread is an error.
        let error = unsafe { dpdk_sys::rte_thread_register() };
        if error < 0 {
            return Err(DpdkError::Thread(Errno::from_return(error)));
        }
        Ok(Self { _not_send: PhantomData })
    }

    /// The number DPDK gave the thread.
    #[must_use]
    pub fn lcore_id(&self) -> u32 {
        // SAFETY: reads a variable of the calling thread.
        unsafe { dpdk_sys::weir_lcore_id() }
    }
}

impl Drop for ThreadRegistration {
    fn drop(&mut self) {
        // SAFETY: this thread was registered by `new` and cannot have moved.
        unsafe { dpdk_sys::rte_thread_unregister() }
    }
}
