//! [`Layout`]: where the headers of a packet are, as its parser found them.

/// Offsets of a packet's headers from its first byte, and what the rewriters must know besides.
///
/// A layout is valid for the bytes it was made from; pushing or popping a header makes it stale
/// unless the function that does so says that it updates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    l2_5: u16,
    l3: u16,
    l4: u16,
    /// Innermost Ethernet type, as in [`crate::Flow::dl_type`]; 0 if not even that was there.
    pub eth_type: u16,
    /// One past the last byte that the network header claims; what follows is link layer padding.
    /// The packet's length when there is no valid network header.
    pub end: u32,
    /// Protocol of the header at [`Layout::l4`].
    pub ip_proto: u8,
    /// [`crate::flow::FRAG_ANY`] and [`crate::flow::FRAG_LATER`].
    pub frag: u8,
    /// Where the IPv6 routing header with segments left is, from the first byte; 0 if there is
    /// none. The pseudo header of the layers above has that header's last address as destination,
    /// so rewriting `ipv6_dst` leaves their checksums alone (RFC 8200 section 8.1).
    pub routing: u16,
}

/// No header here.
const NONE: u16 = u16::MAX;

impl Default for Layout {
    fn default() -> Self {
        Self {
            l2_5: NONE,
            l3: NONE,
            l4: NONE,
            eth_type: 0,
            end: 0,
            ip_proto: 0,
            frag: 0,
            routing: 0,
        }
    }
}

impl Layout {
    /// The layout of an IPv4 packet that is no fragment.
    #[inline(always)]
    pub(super) const fn ipv4(l3: u16, l4: u16, end: u32, ip_proto: u8) -> Self {
        Self { l2_5: NONE, l3, l4, eth_type: 0x0800, end, ip_proto, frag: 0, routing: 0 }
    }

    /// The layout of an IPv6 packet without extension headers.
    #[inline(always)]
    pub(super) const fn ipv6(l3: u16, l4: u16, end: u32, ip_proto: u8) -> Self {
        Self { l2_5: NONE, l3, l4, eth_type: 0x86dd, end, ip_proto, frag: 0, routing: 0 }
    }

    /// The first MPLS label stack entry.
    #[inline(always)]
    #[must_use]
    pub fn l2_5(&self) -> Option<usize> {
        at(self.l2_5)
    }

    /// The header after Ethernet, VLAN tags and MPLS, of whatever type.
    #[inline(always)]
    #[must_use]
    pub fn l3(&self) -> Option<usize> {
        at(self.l3)
    }

    /// What a valid IPv4 header, or IPv6 header with its extensions, carries. Also there in later
    /// fragments, where it is no header: see [`Layout::frag`].
    #[inline(always)]
    #[must_use]
    pub fn l4(&self) -> Option<usize> {
        at(self.l4)
    }

    pub(super) fn set_l2_5(&mut self, offset: usize) {
        self.l2_5 = narrow(offset);
    }

    pub(super) fn set_l3(&mut self, offset: usize) {
        self.l3 = narrow(offset);
    }

    pub(super) fn set_l4(&mut self, offset: usize) {
        self.l4 = narrow(offset);
    }

    /// Moves every header by `delta` bytes, after bytes were added (or removed) in front of them.
    pub(super) fn shift(&mut self, delta: i32) {
        for field in [&mut self.l2_5, &mut self.l3, &mut self.l4] {
            if *field != NONE {
                *field = u16::try_from(i32::from(*field) + delta).unwrap_or(NONE);
            }
        }
        if self.routing != 0 {
            self.routing = u16::try_from(i32::from(self.routing) + delta).unwrap_or(0);
        }
        self.end = self.end.saturating_add_signed(delta);
    }
}

#[inline(always)]
fn at(field: u16) -> Option<usize> {
    if field == NONE { None } else { Some(usize::from(field)) }
}

fn narrow(offset: usize) -> u16 {
    u16::try_from(offset).unwrap_or(NONE)
}
