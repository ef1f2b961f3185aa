//! Cutting super-packets into pieces in software (generic segmentation offload), for ports that
//! cannot: TCP (RFC 9293; flags and sequence numbers go on) and UDP (each piece is a datagram).

use weir_dpdk::{Mbuf, MbufRef, Mempool};
use weir_flow::DropReason;
use weir_flow::flow::{eth_type, ip_proto};
use weir_flow::packet::{Layout, checksum};

const TCP_FIN_PSH: u8 = 0x09;
const TCP_CWR: u8 = 0x80;

/// The headers of a super-packet and how it is to be cut.
struct Template {
    headers: Vec<u8>,
    l3: usize,
    l4: usize,
    ipv4: bool,
    tcp: bool,
    segsz: usize,
}

impl Template {
    fn of(packet: &MbufRef, layout: &Layout) -> Option<Self> {
        let (l3, l4) = (layout.l3()?, layout.l4()?);
        let data = packet.data();
        let tcp = layout.ip_proto == ip_proto::TCP;
        let l4_len = match layout.ip_proto {
            ip_proto::TCP => usize::from(data.get(l4 + 12)? >> 4) * 4,
            ip_proto::UDP => 8,
            _ => return None,
        };
        let ipv4 = match layout.eth_type {
            eth_type::IPV4 => true,
            eth_type::IPV6 => false,
            _ => return None,
        };
        let segsz = usize::from(packet.tso_segsz());
        let headers = data.get(..l4 + l4_len)?.to_vec();
        let l4_min = if tcp { 20 } else { 8 };
        let l3_min = if ipv4 { 20 } else { 40 };
        (segsz != 0 && l4_len >= l4_min && l4 >= l3 + l3_min).then_some(Self {
            headers,
            l3,
            l4,
            ipv4,
            tcp,
            segsz,
        })
    }

    /// Writes the headers of piece `index` over a copy of the template. `len` is the length of its
    /// payload, `last` says whether more follow.
    fn fill(&self, piece: &mut [u8], index: usize, len: usize, last: bool) -> Option<()> {
        let total = self.headers.len() + len;
        let l4_total = total - self.l4;
        if self.ipv4 {
            let ip = piece.get_mut(self.l3..self.l4)?;
            let ip_len = u16::try_from(total - self.l3).ok()?;
            ip.get_mut(2..4)?.copy_from_slice(&ip_len.to_be_bytes());
            let id = u16::from_be_bytes(*ip.get(4..6)?.first_chunk()?);
            let id = id.wrapping_add(index as u16);
            ip.get_mut(4..6)?.copy_from_slice(&id.to_be_bytes());
            ip.get_mut(10..12)?.fill(0);
            let sum = checksum::checksum(ip);
            ip.get_mut(10..12)?.copy_from_slice(&sum.to_be_bytes());
        } else {
            let payload = u16::try_from(total - self.l3 - 40).ok()?;
            piece.get_mut(self.l3 + 4..self.l3 + 6)?.copy_from_slice(&payload.to_be_bytes());
        }
        let (proto, field) = if self.tcp {
            let tcp = piece.get_mut(self.l4..)?;
            let seq = u32::from_be_bytes(*tcp.get(4..8)?.first_chunk()?);
            let seq = seq.wrapping_add((index * self.segsz) as u32);
            tcp.get_mut(4..8)?.copy_from_slice(&seq.to_be_bytes());
            let flags = tcp.get_mut(13)?;
            if !last {
                *flags &= !TCP_FIN_PSH;
            }
            if index != 0 {
                *flags &= !TCP_CWR;
            }
            (ip_proto::TCP, self.l4 + 16)
        } else {
            let udp_len = u16::try_from(l4_total).ok()?;
            piece.get_mut(self.l4 + 4..self.l4 + 6)?.copy_from_slice(&udp_len.to_be_bytes());
            (ip_proto::UDP, self.l4 + 6)
        };
        piece.get_mut(field..field + 2)?.fill(0);
        let addresses = if self.ipv4 { 12..20 } else { 8..40 };
        let addresses = piece.get(self.l3 + addresses.start..self.l3 + addresses.end)?;
        let (src, dst) = addresses.split_at(addresses.len() / 2);
        let pseudo = checksum::pseudo_header(src, dst, proto, l4_total as u32);
        let sum = !checksum::fold(checksum::add(pseudo, piece.get(self.l4..total)?));
        let sum = if sum == 0 && !self.tcp { 0xffff } else { sum };
        piece.get_mut(field..field + 2)?.copy_from_slice(&sum.to_be_bytes());
        Some(())
    }
}

/// Cuts a super-packet into pieces with complete checksums.
///
/// # Errors
/// The packet is not what its flags say, or no buffer is left for a piece (earlier pieces were passed
/// on).
pub(crate) fn segment(
    packet: &MbufRef,
    layout: &Layout,
    pool: &Mempool,
    out: &mut dyn FnMut(Mbuf),
) -> Result<(), DropReason> {
    let template = Template::of(packet, layout).ok_or(DropReason::InvalidPacket)?;
    let end = (layout.end as usize).min(packet.len() as usize);
    let payload = end.saturating_sub(template.headers.len());
    let mut source = Source::new(packet, template.headers.len());
    let n = payload.div_ceil(template.segsz).max(1);
    for index in 0..n {
        let len = (payload - index * template.segsz).min(template.segsz);
        let mut piece = pool.alloc().ok_or(DropReason::NoBuffer)?;
        let total = template.headers.len() + len;
        // A segment size beyond the pool's buffers: none of our ports has such an MTU.
        let bytes = piece.append(total).ok_or(DropReason::TxMtuExceeded)?;
        let (headers, body) = bytes.split_at_mut(template.headers.len());
        headers.copy_from_slice(&template.headers);
        source.read(body).ok_or(DropReason::InvalidPacket)?;
        template.fill(bytes, index, len, index + 1 == n).ok_or(DropReason::InvalidPacket)?;
        out(piece);
    }
    Ok(())
}

/// Reads the bytes of a packet's segments in order.
struct Source<'a> {
    segments: Box<dyn Iterator<Item = &'a [u8]> + 'a>,
    rest: &'a [u8],
}

impl<'a> Source<'a> {
    fn new(packet: &'a MbufRef, skip: usize) -> Self {
        let mut segments = packet.segments();
        let rest = segments.next().and_then(|first| first.get(skip..)).unwrap_or_default();
        Self { segments: Box::new(segments), rest }
    }

    fn read(&mut self, mut into: &mut [u8]) -> Option<()> {
        while !into.is_empty() {
            if self.rest.is_empty() {
                self.rest = self.segments.next()?;
                continue;
            }
            let n = into.len().min(self.rest.len());
            let (part, rest) = self.rest.split_at(n);
            let (here, later) = into.split_at_mut(n);
            here.copy_from_slice(part);
            (self.rest, into) = (rest, later);
        }
        Some(())
    }
}
