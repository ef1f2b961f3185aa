//! The virtio-net header (Virtual I/O Device 1.1, 5.1.6), which goes before each frame of a tap or
//! packet socket and says what the sender left undone: a checksum to fill in, a packet to split.
//!
//! Ten bytes, without the buffer count of mergeable rings; integers in the CPU's byte order, as the
//! kernel has it for legacy headers.

/// A virtio-net header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VnetHeader {
    /// State of the transport checksum.
    pub checksum: Checksum,
    /// How to split the packet; `None` for packets to be sent as they are.
    pub gso: Option<Gso>,
    /// Bytes of all headers up to the payload, a hint; 0 for unknown.
    pub hdr_len: u16,
}

/// State of the transport checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksum {
    /// It is in the packet, and nobody has looked at it.
    #[default]
    Unknown,
    /// It is in the packet, and right, or the packet has not left the machine.
    Valid,
    /// It is to be filled in: the sum from byte `start` to the end goes to byte `start + offset`,
    /// where the sum of the pseudo-header is now.
    Partial {
        /// Bytes from the start of the frame to the transport header.
        start: u16,
        /// Bytes from there to the checksum field (16 for TCP, 6 for UDP).
        offset: u16,
    },
}

/// How to split a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gso {
    /// Which protocol.
    pub kind: GsoKind,
    /// TCP with congestion-window-reduced set, to go into the first segment only.
    pub ecn: bool,
    /// Payload bytes of each segment.
    pub size: u16,
}

/// Protocols that can be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GsoKind {
    /// TCP over IPv4.
    TcpV4,
    /// TCP over IPv6.
    TcpV6,
    /// UDP by IP fragments.
    UdpFragments,
    /// UDP into datagrams.
    UdpDatagrams,
}

/// A header that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VnetError {
    /// A kind of segmentation nobody knows.
    #[error("unknown GSO type {0}")]
    GsoType(u8),
    /// Segmentation into segments of no bytes.
    #[error("GSO with a segment size of 0")]
    GsoSize,
    /// A checksum field that is not in the frame.
    #[error("checksum field at {start}+{offset} is not in the frame of {len} bytes")]
    ChecksumPlace {
        /// Start of the transport header.
        start: u16,
        /// Offset of the field.
        offset: u16,
        /// Length of the frame.
        len: usize,
    },
}

const F_NEEDS_CSUM: u8 = 1;
const F_DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_UDP: u8 = 3;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
const GSO_ECN: u8 = 0x80;

impl VnetHeader {
    /// Bytes of the header.
    pub const LEN: usize = 10;

    /// Nothing left undone, nothing known.
    pub const NONE: Self = Self { checksum: Checksum::Unknown, gso: None, hdr_len: 0 };

    /// Reads a header.
    ///
    /// # Errors
    /// Kinds of segmentation that are not known, or segments of no bytes: such a frame cannot be sent
    /// on.
    pub fn parse(bytes: &[u8; Self::LEN]) -> Result<Self, VnetError> {
        let &[flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1] = bytes;
        let word = |low, high| u16::from_ne_bytes([low, high]);
        let checksum = if flags & F_NEEDS_CSUM != 0 {
            Checksum::Partial { start: word(s0, s1), offset: word(o0, o1) }
        } else if flags & F_DATA_VALID != 0 {
            Checksum::Valid
        } else {
            Checksum::Unknown
        };
        let kind = match gso_type & !GSO_ECN {
            GSO_NONE => None,
            GSO_TCPV4 => Some(GsoKind::TcpV4),
            GSO_TCPV6 => Some(GsoKind::TcpV6),
            GSO_UDP => Some(GsoKind::UdpFragments),
            GSO_UDP_L4 => Some(GsoKind::UdpDatagrams),
            other => return Err(VnetError::GsoType(other)),
        };
        let size = word(g0, g1);
        if kind.is_some() && size == 0 {
            return Err(VnetError::GsoSize);
        }
        let ecn = gso_type & GSO_ECN != 0;
        let gso = kind.map(|kind| Gso { kind, ecn, size });
        Ok(Self { checksum, gso, hdr_len: word(h0, h1) })
    }

    /// Writes the header.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::LEN] {
        let (flags, start, offset) = match self.checksum {
            Checksum::Unknown => (0, 0, 0),
            Checksum::Valid => (F_DATA_VALID, 0, 0),
            Checksum::Partial { start, offset } => (F_NEEDS_CSUM, start, offset),
        };
        let (gso_type, size) = self.gso.map_or((GSO_NONE, 0), |gso| {
            let kind = match gso.kind {
                GsoKind::TcpV4 => GSO_TCPV4,
                GsoKind::TcpV6 => GSO_TCPV6,
                GsoKind::UdpFragments => GSO_UDP,
                GsoKind::UdpDatagrams => GSO_UDP_L4,
            };
            (kind | if gso.ecn { GSO_ECN } else { 0 }, gso.size)
        });
        let [h0, h1] = self.hdr_len.to_ne_bytes();
        let [g0, g1] = size.to_ne_bytes();
        let [s0, s1] = start.to_ne_bytes();
        let [o0, o1] = offset.to_ne_bytes();
        [flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1]
    }

    /// Checks what the header says against the length of its frame.
    ///
    /// # Errors
    /// [`VnetError::ChecksumPlace`].
    pub fn check(&self, len: usize) -> Result<(), VnetError> {
        match self.checksum {
            Checksum::Partial { start, offset }
                if usize::from(start) + usize::from(offset) + 2 > len =>
            {
                Err(VnetError::ChecksumPlace { start, offset, len })
            }
            _ => Ok(()),
        }
    }

    /// The header for the same frame after `by` bytes were put in (or, negative, taken out) before
    /// the transport header, for instance a VLAN tag.
    #[must_use]
    pub fn moved(&self, by: i16) -> Self {
        let mut moved = *self;
        if let Checksum::Partial { start, .. } = &mut moved.checksum {
            *start = start.saturating_add_signed(by);
        }
        if moved.hdr_len != 0 {
            moved.hdr_len = moved.hdr_len.saturating_add_signed(by);
        }
        moved
    }

    /// Whether the frame can be sent as plain bytes.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.gso.is_none() && !matches!(self.checksum, Checksum::Partial { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_header_as_the_kernel_sends_it() {
        // TCP over IPv4, 66 bytes of headers, MSS 1448, checksum at 34+16.
        let bytes = [1, 1, 66, 0, 0xa8, 5, 34, 0, 16, 0];
        let header = VnetHeader {
            checksum: Checksum::Partial { start: 34, offset: 16 },
            gso: Some(Gso { kind: GsoKind::TcpV4, ecn: false, size: 1448 }),
            hdr_len: 66,
        };
        if cfg!(target_endian = "little") {
            assert_eq!(VnetHeader::parse(&bytes).unwrap(), header);
            assert_eq!(header.emit(), bytes);
        }
        assert!(header.check(52).is_ok() && header.check(51).is_err());
        let tagged = header.moved(4);
        assert_eq!(tagged.checksum, Checksum::Partial { start: 38, offset: 16 });
        assert_eq!(tagged.moved(-4), header);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(VnetHeader::parse(&[0, 9, 0, 0, 1, 1, 0, 0, 0, 0]), Err(VnetError::GsoType(9)));
        assert_eq!(VnetHeader::parse(&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Err(VnetError::GsoSize));
        assert_eq!(VnetHeader::parse(&[0; 10]), Ok(VnetHeader::NONE));
    }

    proptest! {
        #[test]
        fn parse_and_emit_agree(bytes: [u8; 10]) {
            if let Ok(header) = VnetHeader::parse(&bytes) {
                prop_assert_eq!(VnetHeader::parse(&header.emit()), Ok(header));
                let _ = header.check(usize::from(bytes[3]));
                let _ = header.moved(4).moved(-4);
            }
        }
    }
}
