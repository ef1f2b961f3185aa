//! What can go wrong, each with its cause and, where there is one, the remedy.

use std::ffi::CStr;

/// The errors of this crate. `Display` gives cause and remedy in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpdkError {
    /// `rte_eal_init` refused to start.
    #[error("EAL init failed: {cause}; {remedy}")]
    EalInit {
        /// DPDK's reason.
        cause: Errno,
        /// What to check.
        remedy: &'static str,
    },
    /// A first initialisation failed; DPDK cannot be initialised twice in one process.
    #[error("EAL init failed before in this process ({0}); restart to try again")]
    EalFailedBefore(String),
    /// The EAL is not running.
    #[error("DPDK is not initialised (set other_config:dpdk-init=true)")]
    NotInitialised,
    /// An option of the EAL that is not valid.
    #[error("{option}={value}: {reason}")]
    BadOption {
        /// Its key in `other_config`.
        option: &'static str,
        /// What was given.
        value: String,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// A mempool could not be made.
    #[error(
        "mempool {name}: {cause} ({n_mbufs} mbufs of {data_room} bytes); give DPDK more memory \
         (other_config:dpdk-socket-mem or dpdk-alloc-mem, and huge pages behind it)"
    )]
    Mempool {
        /// Its name.
        name: String,
        /// How many packets it should have held.
        n_mbufs: u32,
        /// Bytes of each packet buffer.
        data_room: u16,
        /// DPDK's reason.
        cause: Errno,
    },
    /// Device arguments that no bus can understand.
    #[error("invalid dpdk-devargs \"{devargs}\": {reason}")]
    BadDevargs {
        /// What was given.
        devargs: String,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// A bus or driver refused the device.
    #[error("Error attaching device '{devargs}' to DPDK: {cause}; {remedy}")]
    Attach {
        /// What was given.
        devargs: String,
        /// What the driver said, or else DPDK's error number as text.
        cause: String,
        /// What to check.
        remedy: &'static str,
    },
    /// The device is there, and no Ethernet port of it.
    #[error("'{0}' was probed but gives no Ethernet device; check its driver and arguments")]
    NoPort(String),
    /// Somebody else of this process has the device.
    #[error("'{0}' is already in use by another port")]
    InUse(String),
    /// A device refused an operation.
    #[error("{device}: {operation} failed: {cause}")]
    Device {
        /// Its DPDK name.
        device: String,
        /// What was asked of it.
        operation: &'static str,
        /// DPDK's reason.
        cause: Errno,
    },
    /// A device refused an operation, and its driver said why.
    #[error("{device}: {operation} failed: {said}")]
    Driver {
        /// Its DPDK name.
        device: String,
        /// What was asked of it.
        operation: &'static str,
        /// The driver's words.
        said: String,
    },
    /// An MTU beyond what a device can do.
    #[error("{device}: MTU {mtu} cannot be; this device takes {min} to {max}")]
    Mtu {
        /// Its DPDK name.
        device: String,
        /// What was asked.
        mtu: u16,
        /// The smallest it takes.
        min: u16,
        /// The largest.
        max: u16,
    },
    /// Queue handles of a running device are still out.
    #[error("{0}: still polled by a thread; return its queues before changing it")]
    Busy(String),
    /// vhost-user refused a socket.
    #[error("vhost-user socket {path}: {operation} failed: {cause}")]
    Vhost {
        /// The socket's path.
        path: String,
        /// What was asked.
        operation: &'static str,
        /// DPDK's reason.
        cause: Errno,
    },
    /// Text that cannot be handed to C.
    #[error("\"{0}\" holds a NUL byte")]
    Nul(String),
    /// The thread could not be made known to DPDK.
    #[error("thread could not be registered with DPDK: {0}; at most 128 threads can be")]
    Thread(Errno),
}

/// A positive error number (`errno.h`, or DPDK's own from 1001 on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// The calling thread's `rte_errno`.
    pub(crate) fn last() -> Self {
        // SAFETY: reads a variable of the calling thread.
        Self(unsafe { dpdk_sys::weir_errno() })
    }

    /// From a return value of DPDK: negative error number, or -1 with `rte_errno` set.
    pub(crate) fn from_return(value: i32) -> Self {
        if value < -1 { Self(-value) } else { Self::last() }
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SAFETY: answers a string of static or thread-local storage, never null.
        let text = unsafe { dpdk_sys::rte_strerror(self.0) };
        // SAFETY: NUL-terminated, and copied out before any other call on this thread.
        let text = unsafe { CStr::from_ptr(text) };
        f.write_str(&text.to_string_lossy())
    }
}

/// A `CString`, or the error that names the text.
pub(crate) fn c_string(text: &str) -> Result<std::ffi::CString, DpdkError> {
    std::ffi::CString::new(text).map_err(|_| DpdkError::Nul(text.replace('\0', "\\0")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_cause_and_remedy() {
        let error = DpdkError::Attach {
            devargs: "0000:01:00.0".into(),
            cause: Errno(libc::ENODEV).to_string(),
            remedy: "check the address",
        };
        assert_eq!(
            error.to_string(),
            "Error attaching device '0000:01:00.0' to DPDK: No such device; check the address"
        );
    }
}
