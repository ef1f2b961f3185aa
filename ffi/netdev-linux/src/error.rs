//! What can go wrong with a network device.

use std::io;

/// The errors of this crate. `Display` names the device, what was asked of it, and the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetdevError {
    /// A name no network device can have.
    #[error("\"{0}\" is not a network device name: 1 to 15 bytes without '/', ':' and spaces")]
    BadName(String),
    /// The kernel refused something.
    #[error("{device}: {operation} failed: {}{}", words(source), remedy(operation, source))]
    Device {
        /// The device's name.
        device: String,
        /// What was asked.
        operation: &'static str,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Talking to rtnetlink failed.
    #[error("rtnetlink: {operation} failed: {}", words(source))]
    Netlink {
        /// What was asked.
        operation: &'static str,
        /// The kernel's reason.
        source: io::Error,
    },
    /// rtnetlink answered what cannot be understood.
    #[error("rtnetlink: unexpected answer: {0}")]
    NetlinkAnswer(String),
}

/// What was asked when a tap device was made.
pub(crate) const CREATING_TAP: &str = "creating tap device";

/// The kernel's words without the number of the error.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// What to do about errors that are the user's to mend.
fn remedy(operation: &str, error: &io::Error) -> &'static str {
    match (operation, error.raw_os_error()) {
        (CREATING_TAP, Some(libc::EBUSY)) => {
            "; another process has a tap of this name: end it, or choose another name"
        }
        (CREATING_TAP, Some(libc::EINVAL)) => {
            "; there is a device of this name that is no tap: remove it, or choose another name"
        }
        _ => "",
    }
}

impl NetdevError {
    /// The error number of the kernel, if it was the kernel.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Device { source, .. } | Self::Netlink { source, .. } => source.raw_os_error(),
            Self::BadName(_) | Self::NetlinkAnswer(_) => None,
        }
    }

    /// Whether the device does not exist (any more).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        // A tap whose device was deleted answers EBADFD.
        matches!(self.errno(), Some(libc::ENODEV | libc::ENXIO | libc::EBADFD))
    }

    /// Whether there is no device of that name.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Device { .. }) && self.errno() == Some(libc::ENODEV)
    }

    /// Whether the device is down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        // Taps that are down answer EIO.
        matches!(self.errno(), Some(libc::ENETDOWN | libc::EIO))
    }

    pub(crate) fn of(device: &str, operation: &'static str, source: io::Error) -> Self {
        Self::Device { device: device.to_owned(), operation, source }
    }
}
