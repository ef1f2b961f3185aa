//! Packet sockets: the wire of a device that the kernel has already. Port type `system`.
//!
//! The socket sees every frame that comes in at the device, and sends frames out of it; frames the
//! host itself sends out there are not seen. The kernel's own network stack goes on seeing incoming
//! frames too.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use crate::error::NetdevError;
use crate::rtnl::Rtnl;
use crate::sys::{MAX_FRAMES, MAX_SEGMENTS, set_option, socket};
use crate::vnet::{VnetError, VnetHeader};

// linux/if_packet.h, as far as libc lacks it.
const PACKET_ADD_MEMBERSHIP: i32 = 1;
const PACKET_DROP_MEMBERSHIP: i32 = 2;
const PACKET_AUXDATA: i32 = 8;
const PACKET_VNET_HDR: i32 = 15;
const PACKET_IGNORE_OUTGOING: i32 = 23;
const PACKET_MR_PROMISC: u16 = 1;
const TP_STATUS_VLAN_VALID: u32 = 1 << 4;
const TP_STATUS_VLAN_TPID_VALID: u32 = 1 << 6;

/// `struct packet_mreq`.
#[repr(C)]
struct Membership {
    index: i32,
    kind: u16,
    address_len: u16,
    address: [u8; 8],
}

/// `struct tpacket_auxdata`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Auxdata {
    status: u32,
    len: u32,
    snaplen: u32,
    mac: u16,
    net: u16,
    vlan_tci: u16,
    vlan_tpid: u16,
}

/// The VLAN tag that the kernel took out of a frame, to be put back after the MAC addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlanTag {
    /// Ethertype: 0x8100 or 0x88a8.
    pub tpid: u16,
    /// Priority, drop eligibility and VLAN number.
    pub tci: u16,
}

impl VlanTag {
    /// The four bytes of the tag.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        let [p0, p1] = self.tpid.to_be_bytes();
        let [t0, t1] = self.tci.to_be_bytes();
        [p0, p1, t0, t1]
    }
}

/// Buffers for one frame, and what came in.
#[derive(Debug)]
pub struct RecvFrame<'s, 'b> {
    /// The buffers, filled in turn; the first [`MAX_SEGMENTS`] count.
    pub buffers: &'s mut [IoSliceMut<'b>],
    /// Bytes of the frame now in the buffers.
    pub len: usize,
    /// The frame was longer than the buffers.
    pub truncated: bool,
    /// What its sender left undone; places are those in the buffers, before the VLAN tag is put back.
    pub vnet: Result<VnetHeader, VnetError>,
    /// The tag that is missing in the buffers.
    pub vlan: Option<VlanTag>,
}

impl<'s, 'b> RecvFrame<'s, 'b> {
    /// Room for a frame.
    #[must_use]
    pub const fn new(buffers: &'s mut [IoSliceMut<'b>]) -> Self {
        Self { buffers, len: 0, truncated: false, vnet: Ok(VnetHeader::NONE), vlan: None }
    }
}

/// One frame to be sent.
#[derive(Debug, Clone, Copy)]
pub struct SendFrame<'s, 'b> {
    /// The frame, in at most [`MAX_SEGMENTS`] parts.
    pub buffers: &'s [IoSlice<'b>],
    /// What is left undone in it.
    pub vnet: VnetHeader,
}

/// Bytes of a control message that holds [`Auxdata`], aligned as the kernel wants it.
const CONTROL_LEN: usize = 64;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_LEN]);

/// The arguments of one `recvmmsg` or `sendmmsg`, kept to be filled in again and again.
struct Messages {
    headers: [libc::mmsghdr; MAX_FRAMES],
    vectors: [[libc::iovec; MAX_SEGMENTS + 1]; MAX_FRAMES],
    vnet: [[u8; VnetHeader::LEN]; MAX_FRAMES],
    control: [Control; MAX_FRAMES],
}

// SAFETY: its pointers are made and used within one call; between calls they mean nothing.
unsafe impl Send for Messages {}

/// The wire of a device. Receiving and sending do not block.
pub struct PacketSocket {
    fd: OwnedFd,
    name: String,
    index: u32,
    promiscuous: bool,
    messages: Box<Messages>,
}

impl std::fmt::Debug for PacketSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacketSocket")
            .field("name", &self.name)
            .field("index", &self.index)
            .field("promiscuous", &self.promiscuous)
            .finish_non_exhaustive()
    }
}

impl PacketSocket {
    /// Opens the device called `name`.
    ///
    /// # Errors
    /// [`NetdevError::is_gone`] when there is no such device; no permission.
    pub fn open(name: &str) -> Result<Self, NetdevError> {
        let index = Rtnl::open()?.link(name)?.index;
        let wrap = |operation| move |error| NetdevError::of(name, operation, error);
        // No protocol yet, so that nothing is received before all is set.
        let fd = socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_NONBLOCK, 0)
            .map_err(wrap("opening a packet socket"))?;
        let on: libc::c_int = 1;
        set_option(&fd, libc::SOL_PACKET, PACKET_VNET_HDR, &on)
            .map_err(wrap("asking for virtio-net headers"))?;
        set_option(&fd, libc::SOL_PACKET, PACKET_AUXDATA, &on)
            .map_err(wrap("asking for VLAN tags"))?;
        set_option(&fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, &on)
            .map_err(wrap("ignoring outgoing frames"))?;

        // SAFETY: all zero is a valid address.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as libc::c_ushort;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index.cast_signed();
        let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel reads the address.
        crate::sys::check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) })
            .map_err(wrap("binding a packet socket"))?;

        let mut this = Self {
            fd,
            name: name.to_owned(),
            index,
            promiscuous: false,
            messages: Messages::boxed(),
        };
        this.set_promiscuous(true)?;
        Ok(this)
    }

    /// The device's name when it was opened.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device's number.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Receive frames for every address, or only the device's own; on at first. Ends with the socket.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn set_promiscuous(&mut self, on: bool) -> Result<(), NetdevError> {
        if on == self.promiscuous {
            return Ok(());
        }
        let membership = Membership {
            index: self.index.cast_signed(),
            kind: PACKET_MR_PROMISC,
            address_len: 0,
            address: [0; 8],
        };
        let option = if on { PACKET_ADD_MEMBERSHIP } else { PACKET_DROP_MEMBERSHIP };
        set_option(&self.fd, libc::SOL_PACKET, option, &membership)
            .map_err(|error| NetdevError::of(&self.name, "setting promiscuous mode", error))?;
        self.promiscuous = on;
        Ok(())
    }

    /// Asks for a receive buffer of this many bytes in the kernel, beyond the system's limit if
    /// allowed.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn set_receive_buffer(&mut self, bytes: u32) -> Result<(), NetdevError> {
        let value = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
        set_option(&self.fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &value)
            .or_else(|_| set_option(&self.fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &value))
            .map_err(|error| NetdevError::of(&self.name, "setting receive buffer", error))
    }

    /// Receives frames that have come in, one into each of the first [`MAX_FRAMES`] of `frames`;
    /// answers how many.
    ///
    /// # Errors
    /// [`NetdevError::is_gone`] when the device is no more; [`NetdevError::is_down`] once when it goes
    /// down, after which the socket works on when it is up again.
    pub fn recv_batch(&mut self, frames: &mut [RecvFrame<'_, '_>]) -> Result<usize, NetdevError> {
        let n = frames.len().min(MAX_FRAMES);
        for (i, frame) in frames.iter_mut().take(n).enumerate() {
            let parts = frame.buffers.iter_mut().map(|b| (b.as_mut_ptr(), b.len()));
            self.messages.prepare(i, parts, true);
        }
        // SAFETY: n messages were just prepared with buffers that are lent for the call, exclusively.
        let got = unsafe {
            libc::recvmmsg(
                self.fd.as_raw_fd(),
                self.messages.headers.as_mut_ptr(),
                n as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let Ok(got) = usize::try_from(got) else {
            return self.nothing("receiving");
        };
        for (i, frame) in frames.iter_mut().take(got).enumerate() {
            let (Some(message), Some(vnet)) =
                (self.messages.headers.get(i), self.messages.vnet.get(i))
            else {
                break;
            };
            let room: usize = frame.buffers.iter().take(MAX_SEGMENTS).map(|b| b.len()).sum();
            let len = (message.msg_len as usize).saturating_sub(VnetHeader::LEN);
            frame.truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 || len > room;
            frame.len = len.min(room);
            frame.vnet = VnetHeader::parse(vnet);
            frame.vlan = vlan_of(&message.msg_hdr);
        }
        Ok(got)
    }

    /// Sends frames, from the front, at most [`MAX_FRAMES`]; answers how many the device took. 0 means
    /// that it can take none now.
    ///
    /// # Errors
    /// About the first frame that was not taken: [`NetdevError::is_gone`], [`NetdevError::is_down`],
    /// or a frame the kernel refuses (`EINVAL`, `EMSGSIZE` above the MTU), to be dropped.
    pub fn send_batch(&mut self, frames: &[SendFrame<'_, '_>]) -> Result<usize, NetdevError> {
        let n = frames.len().min(MAX_FRAMES);
        for (i, frame) in frames.iter().take(n).enumerate() {
            if frame.buffers.len() > MAX_SEGMENTS {
                if i == 0 {
                    let error = io::Error::from_raw_os_error(libc::EMSGSIZE);
                    return Err(NetdevError::of(&self.name, "sending", error));
                }
                return self.send_batch(&frames[..i]);
            }
            if let Some(vnet) = self.messages.vnet.get_mut(i) {
                *vnet = frame.vnet.emit();
            }
            let parts = frame.buffers.iter().map(|b| (b.as_ptr().cast_mut(), b.len()));
            self.messages.prepare(i, parts, false);
        }
        // SAFETY: n messages were just prepared with buffers that are lent for the call and only read.
        let sent = unsafe {
            libc::sendmmsg(
                self.fd.as_raw_fd(),
                self.messages.headers.as_mut_ptr(),
                n as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        usize::try_from(sent).or_else(|_| self.nothing("sending"))
    }

    /// What a call that moved no frame means: nothing to do now, or an error.
    fn nothing(&self, operation: &'static str) -> Result<usize, NetdevError> {
        let error = io::Error::last_os_error();
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted, _)
            | (_, Some(libc::ENOBUFS)) => Ok(0),
            // The kernel says "down" of a device that is gone, too.
            (_, Some(libc::ENETDOWN)) if !self.exists() => {
                let error = io::Error::from_raw_os_error(libc::ENODEV);
                Err(NetdevError::of(&self.name, operation, error))
            }
            _ => Err(NetdevError::of(&self.name, operation, error)),
        }
    }

    /// Whether the device is still there, under whatever name.
    #[must_use]
    pub fn exists(&self) -> bool {
        // SAFETY: all zero is a valid request.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_ifru.ifru_ifindex = self.index.cast_signed();
        // SAFETY: the kernel reads the number and writes the name. Asked of the socket's own
        // namespace.
        unsafe { libc::ioctl(self.fd.as_raw_fd(), SIOCGIFNAME, &raw mut request) == 0 }
    }
}

const SIOCGIFNAME: libc::c_ulong = 0x8910;

impl Messages {
    fn boxed() -> Box<Self> {
        // SAFETY: all zero is valid for every part: null pointers, no lengths.
        Box::new(unsafe { std::mem::zeroed() })
    }

    /// Makes message `i` of these buffers, behind a virtio-net header.
    fn prepare(
        &mut self,
        i: usize,
        buffers: impl Iterator<Item = (*mut u8, usize)>,
        with_control: bool,
    ) {
        let (Some(message), Some(vectors), Some(vnet), Some(control)) = (
            self.headers.get_mut(i),
            self.vectors.get_mut(i),
            self.vnet.get_mut(i),
            self.control.get_mut(i),
        ) else {
            return;
        };
        let header = std::iter::once((vnet.as_mut_ptr(), vnet.len()));
        let mut n = 0;
        for (vector, (base, len)) in vectors.iter_mut().zip(header.chain(buffers)) {
            *vector = libc::iovec { iov_base: base.cast(), iov_len: len };
            n += 1;
        }
        message.msg_len = 0;
        message.msg_hdr.msg_iov = vectors.as_mut_ptr();
        message.msg_hdr.msg_iovlen = n;
        message.msg_hdr.msg_flags = 0;
        let (control, len) = if with_control {
            (control.0.as_mut_ptr(), CONTROL_LEN)
        } else {
            (std::ptr::null_mut(), 0)
        };
        message.msg_hdr.msg_control = control.cast();
        message.msg_hdr.msg_controllen = len;
    }
}

/// The tag in a message's control data.
fn vlan_of(message: &libc::msghdr) -> Option<VlanTag> {
    // SAFETY: the message's control buffer is alive and of the length that the kernel has set.
    let mut control = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !control.is_null() {
        // SAFETY: within the control buffer, as CMSG_FIRSTHDR and CMSG_NXTHDR see to; aligned.
        let header = unsafe { *control };
        let wanted = header.cmsg_level == libc::SOL_PACKET
            && header.cmsg_type == PACKET_AUXDATA
            && header.cmsg_len >= size_of::<libc::cmsghdr>() + size_of::<Auxdata>();
        if wanted {
            // SAFETY: the data follows the header.
            let data: *const Auxdata = unsafe { libc::CMSG_DATA(control) }.cast();
            // SAFETY: long enough, as just checked; any bytes are valid.
            let aux = unsafe { data.read_unaligned() };
            return (aux.status & TP_STATUS_VLAN_VALID != 0).then(|| {
                let known = aux.status & TP_STATUS_VLAN_TPID_VALID != 0;
                VlanTag { tpid: if known { aux.vlan_tpid } else { 0x8100 }, tci: aux.vlan_tci }
            });
        }
        // SAFETY: a header of this message.
        control = unsafe { libc::CMSG_NXTHDR(message, control) };
    }
    None
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
