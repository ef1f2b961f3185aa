//! Hashes of a flow's connection: for `hash` actions (`dp_hash`), bond members and select groups.

use crate::action::HashAlgorithm;
use crate::flow::{Flow, eth_type, ip_proto};

/// The hash that the `hash` action stores in `dp_hash`. Never 0: that says "no hash".
#[must_use]
pub fn dp_hash(flow: &Flow, algorithm: HashAlgorithm, basis: u32) -> u32 {
    let hash = match algorithm {
        HashAlgorithm::L4 => five_tuple(flow, basis),
        HashAlgorithm::SymL4 => symmetric_l4(flow, basis),
    };
    if hash == 0 { 1 } else { hash }
}

/// Hashes IP addresses, protocol and, of TCP, UDP and SCTP, ports. A packet that is not IP hashes
/// its Ethernet type only. Fragments have no ports, so pass them with ports zero to keep a datagram
/// together.
#[must_use]
pub fn five_tuple(flow: &Flow, basis: u32) -> u32 {
    let mut h = Mixer::new(basis);
    h.mix(u64::from(flow.dl_type.get()) << 8 | u64::from(ip_only(flow, flow.nw_proto)));
    addresses(flow, |a, b| {
        h.mix(a);
        h.mix(b);
    });
    let (src, dst) = ports(flow);
    h.mix(u64::from(src) << 16 | u64::from(dst));
    h.finish()
}

/// Hashes what [`five_tuple`] does and, for all packets, the Ethernet addresses and the outermost
/// VLAN, the same for both directions of a connection.
#[must_use]
pub fn symmetric_l4(flow: &Flow, basis: u32) -> u32 {
    let mut h = Mixer::new(basis);
    let mac = |m: &[u8; 6]| m.iter().fold(0, |a, b| a << 8 | u64::from(*b));
    h.mix(mac(&flow.dl_src) ^ mac(&flow.dl_dst));
    let vlan = u64::from(flow.vlans[0].tci.get() & crate::flow::VLAN_VID_MASK);
    h.mix(
        vlan << 32 | u64::from(flow.dl_type.get()) << 8 | u64::from(ip_only(flow, flow.nw_proto)),
    );
    let mut both = 0;
    addresses(flow, |a, b| both ^= spread(a) ^ spread(b));
    h.mix(both);
    let (src, dst) = ports(flow);
    h.mix(u64::from(src ^ dst));
    h.finish()
}

/// `value` if the flow is IP, else 0.
fn ip_only(flow: &Flow, value: u8) -> u8 {
    if flow.is_ip_any() { value } else { 0 }
}

/// Passes the words of source and destination address, in pairs.
fn addresses(flow: &Flow, mut pair: impl FnMut(u64, u64)) {
    match flow.dl_type.get() {
        eth_type::IPV4 => pair(flow.nw_src.get().into(), flow.nw_dst.get().into()),
        eth_type::IPV6 => {
            let (src, _) = flow.ipv6_src.as_chunks::<8>();
            let (dst, _) = flow.ipv6_dst.as_chunks::<8>();
            for (i, (s, d)) in src.iter().zip(dst).enumerate() {
                // Rotated so that the halves of one address do not cancel out.
                let rotate = |w: &[u8; 8]| u64::from_be_bytes(*w).rotate_left(i as u32 * 21);
                pair(rotate(s), rotate(d));
            }
        }
        _ => {}
    }
}

fn ports(flow: &Flow) -> (u16, u16) {
    let has_ports = matches!(flow.nw_proto, ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP);
    if flow.is_ip_any() && has_ports { (flow.tp_src.get(), flow.tp_dst.get()) } else { (0, 0) }
}

/// A multiplicative mixer of words.
struct Mixer(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Mixer {
    fn new(basis: u32) -> Self {
        Self(spread(u64::from(basis) ^ ODD))
    }

    fn mix(&mut self, word: u64) {
        self.0 = spread(self.0.rotate_left(23) ^ word);
    }

    fn finish(self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

/// A bijection that lets every bit of `x` change about half of the bits.
fn spread(x: u64) -> u64 {
    let x = (x ^ x >> 31).wrapping_mul(ODD);
    let x = (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(src: u32, dst: u32, tp_src: u16, tp_dst: u16) -> Flow {
        let mut f = Flow::ZERO;
        f.dl_type = eth_type::IPV4.into();
        f.nw_proto = ip_proto::TCP;
        f.nw_src = src.into();
        f.nw_dst = dst.into();
        f.tp_src = tp_src.into();
        f.tp_dst = tp_dst.into();
        f
    }

    #[test]
    fn only_the_symmetric_hash_is_symmetric() {
        let (there, back) = (flow(1, 2, 3, 4), flow(2, 1, 4, 3));
        assert_eq!(symmetric_l4(&there, 0), symmetric_l4(&back, 0));
        assert_ne!(five_tuple(&there, 0), five_tuple(&back, 0));
        assert_ne!(symmetric_l4(&there, 0), symmetric_l4(&there, 1));
    }

    #[test]
    fn hashes_spread_over_buckets() {
        for algorithm in [HashAlgorithm::L4, HashAlgorithm::SymL4] {
            let mut buckets = [0u32; 64];
            for n in 0..6400u32 {
                let h =
                    dp_hash(&flow(0x0a00_0000 + n % 80, 0x0a01_0000 + n / 80, 1, 2), algorithm, 0);
                buckets[h as usize % 64] += 1;
            }
            assert!(buckets.iter().all(|b| (50..170).contains(b)), "{buckets:?}");
        }
    }
}
