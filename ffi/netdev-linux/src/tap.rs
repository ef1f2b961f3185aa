//! Tap devices: a network device of the kernel whose wire is this process. Port types `tap` and
//! `internal`.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use crate::error::{CREATING_TAP, NetdevError};
use crate::sys::{MAX_SEGMENTS, check, ifreq, text};
use crate::vnet::{VnetError, VnetHeader};

/// What the kernel may leave undone in the frames it sends into a tap. Nothing left undone means that
/// it fills in checksums and splits packets itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TapOffloads {
    /// Checksums.
    pub checksum: bool,
    /// TCP segmentation, with `checksum`.
    pub tso: bool,
    /// UDP segmentation into datagrams, with `checksum`.
    pub uso: bool,
}

/// A tap device, which goes when this is dropped. Reads and writes do not block.
#[derive(Debug)]
pub struct Tap {
    file: File,
    name: String,
    offloads: TapOffloads,
}

/// A frame that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapFrame {
    /// Bytes of the frame now in the buffers.
    pub len: usize,
    /// What its sender left undone; or that the kernel said nonsense, which it does not.
    pub vnet: Result<VnetHeader, VnetError>,
    /// The buffers are full, so that the end of the frame may be lost.
    pub filled: bool,
}

impl Tap {
    /// Makes a device called `name`, or takes over a persistent tap of that name. A name such as
    /// `vnet%d` lets the kernel choose the number.
    ///
    /// The device is down, with a random MAC address; see [`Rtnl`](crate::Rtnl).
    ///
    /// # Errors
    /// No permission, no `/dev/net/tun`, or a device of that name that is no tap (`EINVAL`) or in use
    /// (`EBUSY`).
    pub fn open(name: &str) -> Result<Self, NetdevError> {
        let mut request = ifreq(name)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")
            .map_err(|error| NetdevError::of(name, "opening /dev/net/tun", error))?;
        let flags = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
        request.ifr_ifru.ifru_flags = flags as libc::c_short;
        // SAFETY: the kernel reads the request and writes the name back into it.
        check(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })
            .map_err(|error| NetdevError::of(name, CREATING_TAP, error))?;
        let tap = Self { file, name: text(&request.ifr_name), offloads: TapOffloads::default() };
        let len = VnetHeader::LEN as libc::c_int;
        // SAFETY: the kernel reads the integer.
        check(unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETVNETHDRSZ, &raw const len) })
            .map_err(|error| NetdevError::of(name, "setting header size", error))?;
        Ok(tap)
    }

    /// Tells the kernel what it may leave undone; answers what it took (kernels before 6.2 know no
    /// UDP segmentation).
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn set_offloads(&mut self, wanted: TapOffloads) -> Result<TapOffloads, NetdevError> {
        let tso = wanted.checksum && wanted.tso;
        let uso = wanted.checksum && wanted.uso;
        let mut flags = 0;
        if wanted.checksum {
            flags |= libc::TUN_F_CSUM;
        }
        if tso {
            flags |= libc::TUN_F_TSO4 | libc::TUN_F_TSO6 | libc::TUN_F_TSO_ECN;
        }
        let uso_flags = if uso { libc::TUN_F_USO4 | libc::TUN_F_USO6 } else { 0 };
        let set = |flags: libc::c_uint| {
            let argument = libc::c_ulong::from(flags);
            // SAFETY: takes its argument by value.
            check(unsafe { libc::ioctl(self.as_raw_fd(), libc::TUNSETOFFLOAD, argument) })
        };
        let uso = uso && set(flags | uso_flags).is_ok();
        if !uso {
            set(flags).map_err(|error| NetdevError::of(&self.name, "setting offloads", error))?;
        }
        self.offloads = TapOffloads { checksum: wanted.checksum, tso, uso };
        Ok(self.offloads)
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the kernel may leave undone.
    #[must_use]
    pub const fn offloads(&self) -> TapOffloads {
        self.offloads
    }

    /// Tells the kernel whether the device has a carrier.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn set_carrier(&self, on: bool) -> Result<(), NetdevError> {
        let value = libc::c_int::from(on);
        // SAFETY: the kernel reads the integer.
        check(unsafe { libc::ioctl(self.as_raw_fd(), libc::TUNSETCARRIER, &raw const value) })
            .map_err(|error| NetdevError::of(&self.name, "setting carrier", error))
    }

    /// Reads one frame that the kernel sends into the buffers in turn, of which the first
    /// [`MAX_SEGMENTS`] count; `None` when there is none.
    ///
    /// A frame has up to 65,550 bytes with TSO, else the MTU and 18. What does not fit is lost.
    ///
    /// # Errors
    /// [`NetdevError::is_gone`] when the device was deleted, [`NetdevError::is_down`] when it is down.
    pub fn read(&self, buffers: &mut [IoSliceMut<'_>]) -> Result<Option<TapFrame>, NetdevError> {
        let mut header = [0_u8; VnetHeader::LEN];
        let mut vectors = [const { EMPTY }; MAX_SEGMENTS + 1];
        vectors[0] = libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: header.len() };
        let mut room = 0;
        for (vector, buffer) in vectors[1..].iter_mut().zip(buffers.iter_mut()) {
            *vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
            room += buffer.len();
        }
        let n = buffers.len().min(MAX_SEGMENTS) + 1;
        // SAFETY: each vector is a buffer lent for the call, exclusively.
        let got = unsafe { libc::readv(self.as_raw_fd(), vectors.as_ptr(), n as libc::c_int) };
        let Ok(got) = usize::try_from(got) else {
            return no_frame(&self.name, "reading").map(|()| None);
        };
        let Some(len) = got.checked_sub(VnetHeader::LEN) else {
            return Ok(Some(TapFrame { len: 0, vnet: Ok(VnetHeader::NONE), filled: false }));
        };
        Ok(Some(TapFrame { len, vnet: VnetHeader::parse(&header), filled: len == room }))
    }

    /// Writes one frame of these buffers in turn, at most [`MAX_SEGMENTS`], to be received by the
    /// kernel; false when the device cannot take one now.
    ///
    /// # Errors
    /// [`NetdevError::is_gone`] when the device was deleted, [`NetdevError::is_down`] when it is down,
    /// `EINVAL` for a frame or header the kernel cannot take.
    pub fn write(&self, vnet: &VnetHeader, buffers: &[IoSlice<'_>]) -> Result<bool, NetdevError> {
        if buffers.len() > MAX_SEGMENTS {
            let error = io::Error::from_raw_os_error(libc::EINVAL);
            return Err(NetdevError::of(&self.name, "writing", error));
        }
        let mut header = vnet.emit();
        let mut vectors = [const { EMPTY }; MAX_SEGMENTS + 1];
        vectors[0] = libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: header.len() };
        for (vector, buffer) in vectors[1..].iter_mut().zip(buffers) {
            let base = buffer.as_ptr().cast_mut().cast();
            *vector = libc::iovec { iov_base: base, iov_len: buffer.len() };
        }
        let n = buffers.len() + 1;
        // SAFETY: each vector is a buffer lent for the call, which is only read.
        let sent = unsafe { libc::writev(self.as_raw_fd(), vectors.as_ptr(), n as libc::c_int) };
        if sent < 0 { no_frame(&self.name, "writing").map(|()| false) } else { Ok(true) }
    }
}

const EMPTY: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

/// What a call that moved no frame means: nothing to do now, or an error.
fn no_frame(name: &str, operation: &'static str) -> Result<(), NetdevError> {
    let error = io::Error::last_os_error();
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
        _ => Err(NetdevError::of(name, operation, error)),
    }
}

impl AsRawFd for Tap {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
