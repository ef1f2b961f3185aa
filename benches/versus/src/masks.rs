//! Rules that give as many megaflow masks as asked for, and packets that use them evenly.
//!
//! Rules of many masks in one table do not: what fails the first ones has to be compared with the
//! bits of all. So a destination MAC leads to a table with one source prefix, and that to one with one
//! destination prefix: the megaflow of combination `i` has the bits of its two prefixes and no others.

use std::net::Ipv4Addr;

use crate::packet::{Addresses, Packet};
use crate::random::Random;

/// The most masks that two prefixes can make.
#[cfg(test)]
const MOST: u32 = 32 * 32;

const SRC: u32 = 0xaaaa_aaaa;
const DST: u32 = 0x5555_5555;
const MAC: u64 = 0x0200_0001_0000;
/// Tables of source prefixes begin after table 0, those of destination prefixes at this.
const DST_TABLES: u32 = 100;

/// Prefix lengths of combination `i`.
fn lengths(i: u32) -> (u32, u32) {
    (1 + i % 32, 1 + i / 32 % 32)
}

fn mask(length: u32) -> u32 {
    u32::MAX << (32 - length)
}

fn mac(i: u32) -> u64 {
    MAC | u64::from(i)
}

fn mac_text(mac: u64) -> String {
    mac.to_be_bytes()[2..].iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

/// The flows for `masks` combinations.
pub(crate) fn flows(masks: u32) -> String {
    let mut text = String::new();
    for i in 0..masks {
        let (src, dst) = lengths(i);
        text += &format!(
            "dl_dst={},actions=load:{dst}->NXM_NX_REG0[],resubmit(,{src})\n",
            mac_text(mac(i))
        );
    }
    for length in 1..=32 {
        let (src, dst) = (Ipv4Addr::from(SRC & mask(length)), Ipv4Addr::from(DST & mask(length)));
        text += &format!(
            "table={length},ip,nw_src={src}/{length},actions=resubmit(,{})\n\
             table={},reg0={length},actions=resubmit(,{})\n\
             table={},ip,nw_dst={dst}/{length},actions=output:2\n",
            DST_TABLES - 1,
            DST_TABLES - 1,
            DST_TABLES + length,
            DST_TABLES + length,
        );
    }
    text
}

/// Flow `n`: the combination `n % masks`, with random bits below the prefixes.
pub(crate) fn packet(masks: u32, seed: u64, n: u64) -> Packet {
    let i = (n % u64::from(masks)) as u32;
    let (src, dst) = lengths(i);
    let mut r = Random::nth(seed, n);
    let fill =
        |value: u32, length: u32, r: &mut Random| value & mask(length) | r.word() & !mask(length);
    let addresses = Addresses::V4(fill(SRC, src, &mut r), fill(DST, dst, &mut r));
    let (tp_src, tp_dst) = (r.word() as u16, r.word() as u16);
    Packet { dl_dst: mac(i), addresses, tp_src, tp_dst, ..Packet::default() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn combinations_differ_and_are_used_evenly() {
        let all: HashSet<_> = (0..MOST).map(lengths).collect();
        assert_eq!(all.len(), MOST as usize);
        let used: HashSet<_> = (0..300).map(|n| packet(300, 1, n).dl_dst).collect();
        assert_eq!(used.len(), 300);
    }

    #[test]
    fn a_packet_has_its_combinations_prefixes() {
        for n in 0..2_000 {
            let p = packet(300, 7, n);
            let (src_length, dst_length) = lengths((n % 300) as u32);
            let Addresses::V4(src, dst) = p.addresses else { panic!("IPv4 rules") };
            assert_eq!((src ^ SRC) & mask(src_length), 0);
            assert_eq!((dst ^ DST) & mask(dst_length), 0);
        }
    }

    #[test]
    fn there_is_a_flow_for_each_combination_and_three_for_each_length() {
        assert_eq!(flows(300).lines().count(), 300 + 3 * 32);
    }
}
