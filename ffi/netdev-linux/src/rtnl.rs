//! rtnetlink: what a device is, and changing it.

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage, State, Stats64};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use crate::error::NetdevError;
use crate::sys::if_name;

/// A network device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What made it (`tun`, `veth`, `bond` ...); `None` for hardware.
    pub kind: Option<String>,
    /// Whether it is Ethernet.
    pub is_ethernet: bool,
    /// Whether it was brought up.
    pub up: bool,
    /// Whether it has a carrier (and is up).
    pub running: bool,
    /// Whether somebody asked for every frame on its wire.
    pub promiscuous: bool,
    /// Whether it is a loopback device.
    pub loopback: bool,
    /// The MAC address; zero for devices without.
    pub mac: [u8; 6],
    /// The MTU, and its limits when the kernel has them.
    pub mtu: u32,
    /// See `mtu`.
    pub min_mtu: Option<u32>,
    /// See `mtu`.
    pub max_mtu: Option<u32>,
    /// Operational state.
    pub state: OperState,
    /// How often the carrier came or went.
    pub carrier_changes: u32,
    /// Counters.
    pub stats: LinkStats,
}

/// Operational state of a device (RFC 2863).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OperState {
    /// Its driver does not say.
    #[default]
    Unknown,
    /// Parts are missing.
    NotPresent,
    /// Down.
    Down,
    /// What it stands on is down.
    LowerLayerDown,
    /// In a test.
    Testing,
    /// Waits for something, for instance authentication.
    Dormant,
    /// Packets can pass.
    Up,
}

/// Counters of a device, from the host's side: "received" came in from the wire. Of a tap, that is
/// what this process wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are those of struct rtnl_link_stats64")]
pub struct LinkStats {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub multicast: u64,
    pub collisions: u64,
    pub rx_length_errors: u64,
    pub rx_over_errors: u64,
    pub rx_crc_errors: u64,
    pub rx_frame_errors: u64,
    pub rx_fifo_errors: u64,
    pub rx_missed_errors: u64,
    pub tx_aborted_errors: u64,
    pub tx_carrier_errors: u64,
    pub tx_fifo_errors: u64,
    pub tx_heartbeat_errors: u64,
    pub tx_window_errors: u64,
}

impl From<Stats64> for LinkStats {
    fn from(s: Stats64) -> Self {
        Self {
            rx_packets: s.rx_packets,
            tx_packets: s.tx_packets,
            rx_bytes: s.rx_bytes,
            tx_bytes: s.tx_bytes,
            rx_errors: s.rx_errors,
            tx_errors: s.tx_errors,
            rx_dropped: s.rx_dropped,
            tx_dropped: s.tx_dropped,
            multicast: s.multicast,
            collisions: s.collisions,
            rx_length_errors: s.rx_length_errors,
            rx_over_errors: s.rx_over_errors,
            rx_crc_errors: s.rx_crc_errors,
            rx_frame_errors: s.rx_frame_errors,
            rx_fifo_errors: s.rx_fifo_errors,
            rx_missed_errors: s.rx_missed_errors,
            tx_aborted_errors: s.tx_aborted_errors,
            tx_carrier_errors: s.tx_carrier_errors,
            tx_fifo_errors: s.tx_fifo_errors,
            tx_heartbeat_errors: s.tx_heartbeat_errors,
            tx_window_errors: s.tx_window_errors,
        }
    }
}

impl From<State> for OperState {
    fn from(state: State) -> Self {
        match state {
            State::NotPresent => Self::NotPresent,
            State::Down => Self::Down,
            State::LowerLayerDown => Self::LowerLayerDown,
            State::Testing => Self::Testing,
            State::Dormant => Self::Dormant,
            State::Up => Self::Up,
            _ => Self::Unknown,
        }
    }
}

impl From<LinkMessage> for Link {
    fn from(message: LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            name: String::new(),
            kind: None,
            is_ethernet: u16::from(message.header.link_layer_type) == libc::ARPHRD_ETHER,
            up: flags.contains(LinkFlags::Up),
            running: flags.contains(LinkFlags::Running),
            promiscuous: flags.contains(LinkFlags::Promisc),
            loopback: flags.contains(LinkFlags::Loopback),
            mac: [0; 6],
            mtu: 0,
            min_mtu: None,
            max_mtu: None,
            state: OperState::Unknown,
            carrier_changes: 0,
            stats: LinkStats::default(),
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::Address(bytes) => {
                    link.mac = bytes.try_into().unwrap_or_default();
                }
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::MinMtu(mtu) => link.min_mtu = Some(mtu),
                LinkAttribute::MaxMtu(mtu) => link.max_mtu = Some(mtu).filter(|&mtu| mtu != 0),
                LinkAttribute::OperState(state) => link.state = state.into(),
                LinkAttribute::CarrierChanges(n) => link.carrier_changes = n,
                LinkAttribute::Stats64(stats) => link.stats = stats.into(),
                LinkAttribute::LinkInfo(infos) => {
                    link.kind = infos.into_iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind.to_string()),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        link
    }
}

/// A socket to ask rtnetlink by, in the network namespace of the thread that opened it. Calls wait
/// for the kernel's answer, which comes at once.
#[derive(Debug)]
pub struct Rtnl {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// Answers are at most this long (the kernel's own limit for a dump's part is 32 KiB).
const BUFFER: usize = 64 * 1024;

impl Rtnl {
    /// Opens a socket.
    ///
    /// # Errors
    /// No socket to be had.
    pub fn open() -> Result<Self, NetdevError> {
        let failed = |source| NetdevError::Netlink { operation: "opening a socket", source };
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed)?;
        socket.bind_auto().map_err(failed)?;
        socket.connect(&SocketAddr::new(0, 0)).map_err(failed)?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; BUFFER] })
    }

    /// The device called `name`.
    ///
    /// # Errors
    /// [`NetdevError::is_gone`] when there is none.
    pub fn link(&mut self, name: &str) -> Result<Link, NetdevError> {
        if_name(name)?;
        let mut request = LinkMessage::default();
        request.attributes.push(LinkAttribute::IfName(name.to_owned()));
        self.one(request, name)
    }

    /// The device of number `index`.
    ///
    /// # Errors
    /// [`NetdevError::is_gone`] when there is none.
    pub fn link_by_index(&mut self, index: u32) -> Result<Link, NetdevError> {
        let mut request = LinkMessage::default();
        request.header.index = index;
        self.one(request, &format!("interface {index}"))
    }

    /// Every device.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn links(&mut self) -> Result<Vec<Link>, NetdevError> {
        let operation = "listing devices";
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let mut links = Vec::new();
        self.exchange(request, NLM_F_DUMP, |link| links.push(link))
            .map_err(|source| NetdevError::Netlink { operation, source })?;
        Ok(links)
    }

    fn one(&mut self, request: LinkMessage, name: &str) -> Result<Link, NetdevError> {
        let mut link = None;
        self.exchange(RouteNetlinkMessage::GetLink(request), 0, |found| link = Some(found))
            .map_err(|error| NetdevError::of(name, "looking it up", error))?;
        link.ok_or_else(|| NetdevError::NetlinkAnswer(format!("none about {name}")))
    }

    /// Brings a device up or down.
    ///
    /// # Errors
    /// No such device, no permission, or what its driver refused.
    pub fn set_up(&mut self, name: &str, up: bool) -> Result<(), NetdevError> {
        let operation = if up { "bringing it up" } else { "taking it down" };
        self.change(name, operation, |message| {
            message.header.change_mask = LinkFlags::Up;
            message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        })
    }

    /// Sets the MAC address.
    ///
    /// # Errors
    /// No such device, no permission, an address that is no unicast one, or what its driver refused.
    pub fn set_mac(&mut self, name: &str, mac: [u8; 6]) -> Result<(), NetdevError> {
        self.change(name, "setting its MAC address", |message| {
            message.attributes.push(LinkAttribute::Address(mac.to_vec()));
        })
    }

    /// Sets the MTU.
    ///
    /// # Errors
    /// No such device, no permission, or `EINVAL` outside of the device's limits.
    pub fn set_mtu(&mut self, name: &str, mtu: u32) -> Result<(), NetdevError> {
        self.change(name, "setting its MTU", |message| {
            message.attributes.push(LinkAttribute::Mtu(mtu));
        })
    }

    /// Deletes a virtual device.
    ///
    /// # Errors
    /// No such device, no permission, or `EOPNOTSUPP` for one that is not virtual.
    pub fn delete(&mut self, name: &str) -> Result<(), NetdevError> {
        let mut message = LinkMessage::default();
        message.header.index = self.link(name)?.index;
        self.exchange(RouteNetlinkMessage::DelLink(message), NLM_F_ACK, |_| {})
            .map_err(|error| NetdevError::of(name, "deleting it", error))
    }

    fn change(
        &mut self,
        name: &str,
        operation: &'static str,
        edit: impl FnOnce(&mut LinkMessage),
    ) -> Result<(), NetdevError> {
        let mut message = LinkMessage::default();
        message.header.index = self.link(name)?.index;
        edit(&mut message);
        self.exchange(RouteNetlinkMessage::SetLink(message), NLM_F_ACK, |_| {})
            .map_err(|error| NetdevError::of(name, operation, error))
    }

    /// Sends a request and reads its answers to the end: an error or acknowledgement, the last part
    /// of a dump, or a single answer.
    fn exchange(
        &mut self,
        request: RouteNetlinkMessage,
        flags: u16,
        mut each: impl FnMut(Link),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message =
            NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(request));
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;

        let expects_end = flags & (NLM_F_DUMP | NLM_F_ACK) != 0;
        loop {
            let got = self.socket.recv(&mut &mut self.buffer[..], 0)?;
            let mut rest = self.buffer.get(..got).unwrap_or_default();
            while !rest.is_empty() {
                let (message, len) = next_message(rest)?;
                rest = rest.get(len..).unwrap_or_default();
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                match message.payload {
                    NetlinkPayload::Error(error) => {
                        return match error.code {
                            Some(code) => Err(io::Error::from_raw_os_error(code.get().abs())),
                            None => Ok(()),
                        };
                    }
                    NetlinkPayload::Done(_) => return Ok(()),
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                        each(link.into());
                        if !expects_end {
                            return Ok(());
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The first message of `bytes` and its length with padding, at least 16.
pub(crate) fn next_message(
    bytes: &[u8],
) -> io::Result<(NetlinkMessage<RouteNetlinkMessage>, usize)> {
    let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
    let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes)
        .map_err(|error| invalid(error.to_string()))?;
    let len = message.header.length as usize;
    if len < 16 {
        return Err(invalid(format!("message of {len} bytes")));
    }
    Ok((message, len.next_multiple_of(4)))
}
