//! System calls with checked results.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::error::NetdevError;

/// Most frames in one receive or send call.
pub const MAX_FRAMES: usize = 32;

/// Most buffers of one frame: 64 KiB in mbufs of 2 KiB, and some.
pub const MAX_SEGMENTS: usize = 36;

/// A name as the kernel wants it, or the error that it can be none.
pub(crate) fn if_name(name: &str) -> Result<[libc::c_char; libc::IFNAMSIZ], NetdevError> {
    let bad = |byte: u8| matches!(byte, b'/' | b':' | 0) || byte.is_ascii_whitespace();
    let bytes = name.as_bytes();
    if bytes.is_empty()
        || bytes.len() >= libc::IFNAMSIZ
        || bytes.iter().copied().any(bad)
        || matches!(name, "." | "..")
    {
        return Err(NetdevError::BadName(name.to_owned()));
    }
    let mut raw = [0; libc::IFNAMSIZ];
    for (to, from) in raw.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    Ok(raw)
}

/// A request about a device.
pub(crate) fn ifreq(name: &str) -> Result<libc::ifreq, NetdevError> {
    // SAFETY: all zero is a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name = if_name(name)?;
    Ok(request)
}

/// The text up to the first NUL.
pub(crate) fn text(bytes: &[libc::c_char]) -> String {
    let bytes: Vec<u8> =
        bytes.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a system call succeeded; the errno it left if not.
pub(crate) fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A new socket, closed on exec.
pub(crate) fn socket(domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: a plain call.
    let fd = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
    check(fd)?;
    // SAFETY: just opened, nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets a socket option of type `T`.
pub(crate) fn set_option<T>(fd: &OwnedFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: the kernel reads at most the bytes of the value.
    check(unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, name, std::ptr::from_ref(value).cast(), len)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for bad in ["", "a/b", "a b", "sixteen-bytes-xx", "..", "x:1", "\0"] {
            assert!(if_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(text(&if_name("fifteen-bytes-x").unwrap()), "fifteen-bytes-x");
    }
}
