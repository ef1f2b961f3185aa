//! A second parser, slow and obvious, to compare the real one with. It reads each byte by its
//! position, re-checks every bound, and shares nothing with the real one but the record.

use crate::flow::{Flow, VLAN_CFI, Vlan};

/// A packet that knows how many of its bytes count.
struct View<'a> {
    bytes: &'a [u8],
    end: usize,
}

impl View<'_> {
    /// Byte at `at`; the caller has checked that it is there.
    fn u8(&self, at: usize) -> u8 {
        if at < self.end { self.bytes.get(at).copied().unwrap_or(0) } else { 0 }
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from(self.u8(at)) * 256 + u16::from(self.u8(at + 1))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from(self.u16(at)) * 65536 + u32::from(self.u16(at + 2))
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        core::array::from_fn(|i| self.u8(at + i))
    }

    fn has(&self, at: usize, len: usize) -> bool {
        at + len <= self.end
    }
}

/// The flow of an Ethernet frame with all metadata zero.
#[must_use]
pub fn flow_of(packet: &[u8], vlan_limit: usize) -> Flow {
    let mut f = Flow::ZERO;
    let mut p = View { bytes: packet, end: packet.len() };
    if !p.has(0, 14) {
        return f;
    }
    f.dl_dst = p.array(0);
    f.dl_src = p.array(6);
    let mut at = 12;
    for n in 0..vlan_limit {
        if !p.has(at, 6) || (p.u16(at) != 0x8100 && p.u16(at) != 0x88a8) {
            break;
        }
        f.vlans[n] = Vlan { tpid: p.u16(at).into(), tci: (p.u16(at + 2) | VLAN_CFI).into() };
        at += 4;
    }
    let mut ty = p.u16(at);
    at += 2;
    if ty < 0x600 {
        ty = 0x5ff;
        if p.has(at, 8) && p.array(at) == [0xaa, 0xaa, 3, 0, 0, 0] {
            let snap = p.u16(at + 6);
            at += 8;
            if snap >= 0x600 {
                ty = snap;
            }
        }
    }
    f.dl_type = ty.into();
    match ty {
        0x8847 | 0x8848 => mpls(&p, at, &mut f),
        0x0806 | 0x8035 => arp(&p, at, &mut f),
        0x894f => nsh(&p, at, &mut f),
        0x0800 => ipv4(&mut p, at, &mut f),
        0x86dd => ipv6(&mut p, at, &mut f),
        _ => {}
    }
    f
}

fn mpls(p: &View<'_>, at: usize, f: &mut Flow) {
    for n in 0..3 {
        let here = at + 4 * n;
        if !p.has(here, 4) {
            break;
        }
        f.mpls_lse[n] = p.u32(here).into();
        if p.u8(here + 2) & 1 == 1 {
            break;
        }
    }
}

fn arp(p: &View<'_>, at: usize, f: &mut Flow) {
    if p.has(at, 28) && p.array(at) == [0, 1, 8, 0, 6, 4] {
        if p.u8(at + 6) == 0 {
            f.nw_proto = p.u8(at + 7);
        }
        f.arp_sha = p.array(at + 8);
        f.nw_src = p.u32(at + 14).into();
        f.arp_tha = p.array(at + 18);
        f.nw_dst = p.u32(at + 24).into();
    }
}

fn nsh(p: &View<'_>, at: usize, f: &mut Flow) {
    if !p.has(at, 8) {
        return;
    }
    let first = p.u16(at);
    let len = usize::from(first & 63) * 4;
    let mdtype = p.u8(at + 2) & 15;
    let fits = (mdtype == 1 && len == 24) || (mdtype == 2 && len >= 8);
    if first >= 0x4000 || !fits || !p.has(at, len) {
        return;
    }
    f.nsh_flags = (first >> 12 & 3) as u8;
    f.nsh_ttl = (first >> 6 & 63) as u8;
    f.nsh_mdtype = mdtype;
    f.nsh_np = p.u8(at + 3);
    f.nsh_path_hdr = p.u32(at + 4).into();
    if mdtype == 1 {
        for n in 0..4 {
            f.nsh_context[n] = p.u32(at + 8 + 4 * n).into();
        }
    }
}

fn ipv4(p: &mut View<'_>, at: usize, f: &mut Flow) {
    if !p.has(at, 20) {
        return;
    }
    let ihl = usize::from(p.u8(at) & 15) * 4;
    let len = usize::from(p.u16(at + 2));
    if ihl < 20 || len < ihl || !p.has(at, len) {
        return;
    }
    let (more, offset) = (p.u16(at + 6) & 0x2000 != 0, p.u16(at + 6) & 0x1fff);
    f.nw_tos = p.u8(at + 1);
    f.nw_ttl = p.u8(at + 8);
    f.nw_proto = p.u8(at + 9);
    f.nw_src = p.u32(at + 12).into();
    f.nw_dst = p.u32(at + 16).into();
    f.nw_frag = if offset != 0 { 3 } else { u8::from(more) };
    p.end = at + len;
    if offset == 0 {
        transport(p, at + ihl, f);
    }
}

fn ipv6(p: &mut View<'_>, at: usize, f: &mut Flow) {
    if !p.has(at, 40) || !p.has(at + 40, usize::from(p.u16(at + 4))) {
        return;
    }
    p.end = at + 40 + usize::from(p.u16(at + 4));
    f.ipv6_src = p.array(at + 8);
    f.ipv6_dst = p.array(at + 24);
    let (mut next, mut here, mut frag, mut later) = (p.u8(at + 6), at + 40, 0, false);
    while !later && [0, 43, 44, 51, 60].contains(&next) {
        if !p.has(here, 8) {
            return;
        }
        let units = usize::from(p.u8(here + 1));
        let len = match next {
            44 => 8,
            51 => (units + 2) * 4,
            _ => (units + 1) * 8,
        };
        if !p.has(here, len) {
            return;
        }
        if next == 44 && p.u16(here + 2) != 0 {
            later = p.u16(here + 2) >= 8;
            frag = if later { 3 } else { 1 };
        }
        if !later {
            next = p.u8(here);
        }
        here += len;
    }
    f.ipv6_label = (p.u32(at) & 0xfffff).into();
    f.nw_tos = (p.u16(at) >> 4 & 0xff) as u8;
    f.nw_ttl = p.u8(at + 7);
    f.nw_proto = next;
    f.nw_frag = frag;
    if !later {
        transport(p, here, f);
    }
}

fn transport(p: &View<'_>, at: usize, f: &mut Flow) {
    let ports = |f: &mut Flow| {
        f.tp_src = p.u16(at).into();
        f.tp_dst = p.u16(at + 2).into();
    };
    match f.nw_proto {
        6 if p.has(at, 20) => {
            let doff = usize::from(p.u8(at + 12) >> 4) * 4;
            if doff >= 20 && p.has(at, doff) {
                ports(f);
                f.tcp_flags = (p.u16(at + 12) & 0xfff).into();
            }
        }
        17 if p.has(at, 8) => ports(f),
        132 if p.has(at, 12) => ports(f),
        1 | 2 | 58 if p.has(at, 8) => {
            f.tp_src = u16::from(p.u8(at)).into();
            f.tp_dst = u16::from(p.u8(at + 1)).into();
            if f.nw_proto == 58 && [135, 136].contains(&p.u8(at)) && p.u8(at + 1) == 0 {
                neighbour(p, at, f);
            }
        }
        _ => {}
    }
}

fn neighbour(p: &View<'_>, at: usize, f: &mut Flow) {
    f.nd_reserved = p.u32(at + 4).into();
    if !p.has(at + 8, 16) {
        return;
    }
    let (mut sll, mut tll) = ([0; 6], [0; 6]);
    let mut here = at + 24;
    while p.has(here, 8) {
        let (kind, len) = (p.u8(here), usize::from(p.u8(here + 1)) * 8);
        if len == 0 || !p.has(here, len) {
            break;
        }
        if len == 8 && (kind == 1 || kind == 2) {
            let known = if kind == 1 { &mut sll } else { &mut tll };
            if *known != [0; 6] {
                return;
            }
            *known = p.array(here + 2);
            if f.nd_options_type == 0 {
                f.nd_options_type = kind;
            }
        }
        here += len;
    }
    f.nd_target = p.array(at + 8);
    f.arp_sha = sll;
    f.arp_tha = tll;
}
