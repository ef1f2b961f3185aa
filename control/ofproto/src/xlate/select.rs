//! Actions that pick one of several by a hash: `multipath` and `bundle`.

use std::collections::HashMap;

use weir_flow::Mask;
use weir_flow::flow::{FRAG_LATER, Flow, VLAN_CFI, VLAN_VID_MASK, eth_type, ip_proto};
use weir_openflow::OfPort;
use weir_openflow::actions::action::{
    BundleAction, BundleAlgorithm, HashFields, MultipathAction, MultipathAlgorithm,
};

use crate::view::PortView;

/// The link that `multipath` picks.
#[must_use]
pub(super) fn multipath(m: &MultipathAction, flow: &Flow, wc: &mut Mask) -> u16 {
    let n = u32::from(m.max_link) + 1;
    let hash = hash_fields(m.fields, flow, wc, u32::from(m.basis));
    let link = match m.algorithm {
        MultipathAlgorithm::ModuloN => hash % n,
        MultipathAlgorithm::HashThreshold => {
            // 2^32 divided into n equal regions.
            ((u64::from(hash) * u64::from(n)) >> 32) as u32
        }
        MultipathAlgorithm::Hrw => {
            let weight = |link: &u32| mix(u64::from(hash) << 32 | u64::from(*link));
            (0..n).max_by_key(weight).unwrap_or(0)
        }
        MultipathAlgorithm::IterHash => {
            // Rehash until the result is a link: at most `arg` rounds, then whatever fits.
            let modulo = n.max(m.arg).max(1);
            let mut link = hash % modulo;
            let mut round = hash;
            for _ in 0..64 {
                if link < n {
                    break;
                }
                round = mix(u64::from(round)) as u32;
                link = round % modulo;
            }
            link % n
        }
    };
    link as u16
}

/// The port that `bundle` picks: a live one, or none.
#[must_use]
pub(super) fn bundle<S: std::hash::BuildHasher>(
    b: &BundleAction,
    flow: &Flow,
    wc: &mut Mask,
    ports: &HashMap<OfPort, PortView, S>,
) -> OfPort {
    let mut live = b.members.iter().filter(|p| ports.get(p).is_some_and(|v| v.up));
    let picked = match b.algorithm {
        BundleAlgorithm::ActiveBackup => live.next(),
        BundleAlgorithm::Hrw => {
            let hash = hash_fields(b.fields, flow, wc, u32::from(b.basis));
            live.max_by_key(|p| mix(u64::from(hash) << 32 | u64::from(p.0)))
        }
    };
    picked.copied().unwrap_or(OfPort::NONE)
}

/// Hashes the fields, the same for both directions of a connection where the name says so, and adds
/// them to `wc`.
#[must_use]
pub(super) fn hash_fields(fields: HashFields, flow: &Flow, wc: &mut Mask, basis: u32) -> u32 {
    let mask = fields_mask(fields, flow);
    wc.add(&mask);
    let f = mask.apply(flow);
    let mac = |m: [u8; 6]| m.iter().fold(0u64, |v, b| v << 8 | u64::from(*b));
    let half = |a: [u8; 16]| {
        let v = u128::from_be_bytes(a);
        mix(v as u64) ^ mix((v >> 64) as u64).rotate_left(7)
    };
    let one_way = matches!(fields, HashFields::EthSrc | HashFields::NwSrc | HashFields::NwDst);
    let pair = |a: u64, b: u64| if one_way { a.rotate_left(1) ^ b } else { a ^ b };
    let words = [
        pair(mac(f.dl_src), mac(f.dl_dst)),
        pair(u64::from(f.nw_src.get()), u64::from(f.nw_dst.get())),
        pair(half(f.ipv6_src), half(f.ipv6_dst)),
        pair(u64::from(f.tp_src.get()), u64::from(f.tp_dst.get())),
        u64::from(f.dl_type.get()) << 24
            | u64::from(f.nw_proto) << 16
            | u64::from(f.vlans[0].tci.get() & VLAN_VID_MASK),
        u64::from(f.vlans[1].tci.get() & VLAN_VID_MASK),
    ];
    words.iter().fold(mix(u64::from(basis)), |h, w| mix(h.rotate_left(17) ^ w)) as u32
}

/// The bits that [`hash_fields`] reads.
fn fields_mask(fields: HashFields, flow: &Flow) -> Mask {
    let mut m = Mask::CATCHALL;
    let network = |m: &mut Mask, src: bool, dst: bool| {
        let (v4, v6) = (flow.dl_type.get() == eth_type::IPV4, flow.dl_type.get() == eth_type::IPV6);
        if v4 && src {
            m.0.nw_src = u32::MAX.into();
        }
        if v4 && dst {
            m.0.nw_dst = u32::MAX.into();
        }
        if v6 && src {
            m.0.ipv6_src = [0xff; 16];
        }
        if v6 && dst {
            m.0.ipv6_dst = [0xff; 16];
        }
    };
    let transport = |m: &mut Mask, udp: bool| {
        if !flow.is_ip_any() {
            return;
        }
        m.0.nw_proto = 0xff;
        let ports = match flow.nw_proto {
            ip_proto::TCP | ip_proto::SCTP => true,
            ip_proto::UDP => udp,
            _ => false,
        };
        if ports && flow.nw_frag & FRAG_LATER == 0 {
            m.0.tp_src = u16::MAX.into();
            m.0.tp_dst = u16::MAX.into();
        }
    };
    match fields {
        HashFields::EthSrc => m.0.dl_src = [0xff; 6],
        HashFields::NwSrc => network(&mut m, true, false),
        HashFields::NwDst => network(&mut m, false, true),
        HashFields::SymmetricL3 => network(&mut m, true, true),
        HashFields::SymmetricL3L4 => {
            network(&mut m, true, true);
            transport(&mut m, false);
        }
        HashFields::SymmetricL3L4Udp => {
            network(&mut m, true, true);
            transport(&mut m, true);
        }
        HashFields::SymmetricL4 => {
            // UDP ports are left out, since fragments have none; ICMP's type and code are not.
            m.0.dl_src = [0xff; 6];
            m.0.dl_dst = [0xff; 6];
            for v in &mut m.0.vlans {
                v.tci = (VLAN_VID_MASK | VLAN_CFI).into();
            }
            network(&mut m, true, true);
            transport(&mut m, false);
            let icmp = matches!(
                (flow.dl_type.get(), flow.nw_proto),
                (eth_type::IPV4, ip_proto::ICMP) | (eth_type::IPV6, ip_proto::ICMPV6)
            );
            if icmp && flow.nw_frag & FRAG_LATER == 0 {
                m.0.tp_src = 0xff.into();
                m.0.tp_dst = 0xff.into();
            }
        }
    }
    m.0.dl_type = u16::MAX.into();
    m
}

/// A bijective mixer.
pub(super) fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 27).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 33
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_flow::field::id;
    use weir_openflow::matching::Subfield;

    fn flow(n: u32) -> Flow {
        let mut f = Flow::ZERO;
        f.dl_type = eth_type::IPV4.into();
        f.nw_proto = ip_proto::TCP;
        f.nw_src = n.into();
        f.nw_dst = 0x0a00_0001.into();
        f.tp_src = 1000.into();
        f.tp_dst = 80.into();
        f.dl_src[5] = n as u8;
        f
    }

    #[test]
    fn symmetric_hashes_are_and_read_only_what_they_say() {
        for fields in [HashFields::SymmetricL4, HashFields::SymmetricL3L4, HashFields::SymmetricL3]
        {
            let a = flow(5);
            let mut b = a;
            (b.nw_src, b.nw_dst) = (a.nw_dst, a.nw_src);
            (b.tp_src, b.tp_dst) = (a.tp_dst, a.tp_src);
            (b.dl_src, b.dl_dst) = (a.dl_dst, a.dl_src);
            let (mut wa, mut wb) = (Mask::CATCHALL, Mask::CATCHALL);
            assert_eq!(hash_fields(fields, &a, &mut wa, 0), hash_fields(fields, &b, &mut wb, 0));
            assert_eq!(wa, wb);
        }
        let mut wc = Mask::CATCHALL;
        let _ = hash_fields(HashFields::EthSrc, &flow(1), &mut wc, 0);
        assert_eq!((wc.0.nw_src.get(), wc.0.dl_src), (0, [0xff; 6]));
    }

    #[test]
    fn every_algorithm_spreads_over_its_links() {
        use MultipathAlgorithm::{HashThreshold, Hrw, IterHash, ModuloN};
        for algorithm in [ModuloN, HashThreshold, Hrw, IterHash] {
            let m = MultipathAction {
                fields: HashFields::NwSrc,
                basis: 50,
                algorithm,
                max_link: 3,
                arg: 8,
                dst: Subfield::whole(id::REG0.field()),
            };
            let mut counts = [0; 4];
            for n in 0..4000 {
                counts[usize::from(multipath(&m, &flow(n), &mut Mask::default()))] += 1;
            }
            assert!(counts.iter().all(|c| (800..1200).contains(c)), "{algorithm:?} {counts:?}");
        }
    }
}
