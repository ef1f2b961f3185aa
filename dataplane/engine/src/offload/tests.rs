//! Software does what a device would have done.

use std::sync::OnceLock;

use proptest::prelude::*;
use weir_dpdk::mempool::DEFAULT_CACHE;
use weir_dpdk::offload::tx;
use weir_dpdk::{Mbuf, Mempool, TxLengths};
use weir_flow::DropReason;
use weir_flow::packet::{Metadata, checksum, parse};

use super::Context;
use crate::tests::support::eal;

fn context(name: &str) -> Context {
    eal();
    Context { pool: Mempool::create(name, 1023, 2048 + 128, DEFAULT_CACHE, -1).unwrap() }
}

/// A packet whose transport checksum is partial.
fn packet(ipv6: bool, tcp: bool, payload: &[u8]) -> Vec<u8> {
    let proto = if tcp { 6 } else { 17 };
    let l4_len = if tcp { 20 } else { 8 } + payload.len();
    let mut p = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let (src, dst);
    if ipv6 {
        p.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        p.extend((l4_len as u16).to_be_bytes());
        p.extend([proto, 64]);
        (src, dst) = (vec![0xfd; 16], vec![0xfe; 16]);
    } else {
        p.extend([8, 0, 0x45, 0]);
        p.extend((20 + l4_len as u16).to_be_bytes());
        p.extend([0xff, 0xff, 0x40, 0, 64, proto, 0, 0]);
        (src, dst) = (vec![10, 0, 0, 1], vec![10, 0, 0, 2]);
    }
    p.extend(&src);
    p.extend(&dst);
    if !ipv6 {
        let sum = checksum::checksum(&p[14..34]).to_be_bytes();
        p[24..26].copy_from_slice(&sum);
    }
    let pseudo = checksum::fold(checksum::pseudo_header(&src, &dst, proto, l4_len as u32));
    p.extend([0x12, 0x34, 0x56, 0x78]);
    if tcp {
        // Sequence number near its end; FIN, PSH, ACK and CWR.
        p.extend([0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 0x50, 0x99, 1, 0]);
        p.extend(pseudo.to_be_bytes());
        p.extend([0, 0]);
    } else {
        p.extend((l4_len as u16).to_be_bytes());
        p.extend(pseudo.to_be_bytes());
    }
    p.extend(payload);
    p
}

fn wants(packet: &mut Mbuf, ipv6: bool, tcp: bool, segsz: u16) {
    let mut flags = if ipv6 { tx::IPV6 } else { tx::IPV4 };
    flags |= if tcp { tx::TCP_CKSUM } else { tx::UDP_CKSUM };
    if segsz != 0 {
        flags |= if tcp { tx::TCP_SEG } else { tx::UDP_SEG };
    }
    packet.set_ol_flags(flags);
    packet.set_tx_lengths(TxLengths { tso_segsz: segsz, ..TxLengths::default() });
}

/// Checks lengths and checksums; answers where the payload starts.
fn verify(p: &[u8], ipv6: bool, tcp: bool) -> usize {
    let (l4, addresses) = if ipv6 { (54, 22..54) } else { (34, 26..34) };
    let total = if ipv6 {
        54 + usize::from(u16::from_be_bytes([p[18], p[19]]))
    } else {
        assert_eq!(checksum::checksum(&p[14..34]), 0);
        14 + usize::from(u16::from_be_bytes([p[16], p[17]]))
    };
    assert_eq!(total, p.len());
    if !tcp {
        assert_eq!(usize::from(u16::from_be_bytes([p[l4 + 4], p[l4 + 5]])), p.len() - l4);
    }
    let (src, dst) = p[addresses.clone()].split_at(addresses.len() / 2);
    let proto = if tcp { 6 } else { 17 };
    let pseudo = checksum::pseudo_header(src, dst, proto, (p.len() - l4) as u32);
    assert_eq!(checksum::fold(checksum::add(pseudo, &p[l4..])), 0xffff);
    l4 + if tcp { 20 } else { 8 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn pieces_carry_the_payload_in_order_with_right_checksums(
        ipv6: bool,
        tcp: bool,
        payload in proptest::collection::vec(any::<u8>(), 0..9000),
        segsz in 100u16..1400,
    ) {
        static CONTEXT: OnceLock<Context> = OnceLock::new();
        let context = CONTEXT.get_or_init(|| context("gso"));
        let mut whole = Mbuf::from_bytes(&context.pool, &packet(ipv6, tcp, &payload)).unwrap();
        wants(&mut whole, ipv6, tcp, segsz);
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        context
            .resolve(whole, 0, 1514, &mut |p| pieces.push(p.data().to_vec()))
            .unwrap();
        prop_assert_eq!(pieces.len(), payload.len().div_ceil(segsz.into()).max(1));
        let mut seen = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            let body = verify(piece, ipv6, tcp);
            let flow = parse(piece, &Metadata::default());
            prop_assert!(flow.malformed.is_none());
            if tcp {
                let seq = u32::from_be_bytes(piece[body - 16..body - 12].try_into().unwrap());
                prop_assert_eq!(seq, 0xffff_fff0u32.wrapping_add(seen.len() as u32));
                let last = i + 1 == pieces.len();
                let flags = flow.flow.tcp_flags.get() as u8;
                prop_assert_eq!(flags & 0x09 != 0, last);
                prop_assert_eq!(flags & 0x80 != 0, i == 0);
            }
            if !ipv6 {
                let id = u16::from_be_bytes([piece[18], piece[19]]);
                prop_assert_eq!(id, 0xffffu16.wrapping_add(i as u16));
            }
            seen.extend_from_slice(&piece[body..]);
        }
        prop_assert_eq!(seen, payload);
        prop_assert_eq!(context.pool.in_use(), 0);
    }

    #[test]
    fn a_partial_checksum_is_completed(
        ipv6: bool,
        tcp: bool,
        payload in proptest::collection::vec(any::<u8>(), 0..1400),
    ) {
        static CONTEXT: OnceLock<Context> = OnceLock::new();
        let context = CONTEXT.get_or_init(|| context("sum"));
        let mut whole = Mbuf::from_bytes(&context.pool, &packet(ipv6, tcp, &payload)).unwrap();
        wants(&mut whole, ipv6, tcp, 0);
        let mut out = Vec::new();
        context.resolve(whole, 0, 1514, &mut |p| out.push(p)).unwrap();
        prop_assert_eq!(out.len(), 1);
        verify(out[0].data(), ipv6, tcp);
        prop_assert_eq!(super::finished_bytes(&out[0]).len(), out[0].len() as usize);
    }

    #[test]
    fn nonsense_does_no_harm(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ipv6: bool,
        tcp: bool,
        segsz in 0u16..100,
        ethertype in 0usize..3,
    ) {
        let types: [[u8; 2]; 3] = [[8, 0], [0x86, 0xdd], [8, 6]];
        if let Some(place) = bytes.get_mut(12..14) {
            place.copy_from_slice(&types[ethertype]);
        }
        static CONTEXT: OnceLock<Context> = OnceLock::new();
        let context = CONTEXT.get_or_init(|| context("bad"));
        let mut whole = Mbuf::from_bytes(&context.pool, &bytes).unwrap();
        wants(&mut whole, ipv6, tcp, segsz);
        let _ = super::finished_bytes(&whole).len();
        let _ = context.resolve(whole, 0, 1514, &mut drop);
        prop_assert_eq!(context.pool.in_use(), 0);
    }
}

#[test]
fn too_long_frames_are_refused_unless_they_are_to_be_cut() {
    let context = context("long");
    let bytes = packet(false, true, &[1; 1461]);
    let plain = || Mbuf::from_bytes(&context.pool, &bytes).unwrap();
    let refused = context.resolve(plain(), 0, 1514, &mut drop);
    assert_eq!(refused, Err(DropReason::TxMtuExceeded));
    assert_eq!(context.resolve(plain(), 0, 1515, &mut drop), Ok(()));
    let mut large = plain();
    wants(&mut large, false, true, 1000);
    let all = tx::TCP_CKSUM | tx::TCP_SEG;
    let mut n = 0;
    assert_eq!(context.resolve(large, all, 1514, &mut |_| n += 1), Ok(()));
    assert_eq!(n, 1);
}
