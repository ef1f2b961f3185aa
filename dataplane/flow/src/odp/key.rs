//! Datapath keys and masks as text.

use std::fmt::Write;

use super::PortName;
use super::attr::{self, Attr};
use super::value::{self, hex};
use crate::action::PortNo;
use crate::flow::{FRAG_LATER, Flow, MAX_VLANS, PT_ETH, VLAN_CFI, eth_type, ip_proto};
use crate::mask::Mask;

/// How flows and actions are written.
#[derive(Clone, Copy, Default)]
pub struct Style<'a> {
    /// Write what is wildcarded, too (`-m`).
    pub verbose: bool,
    /// Write port names where there are any (`--names`, and `-m` by default).
    pub names: Option<PortName<'a>>,
}

impl std::fmt::Debug for Style<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names.is_some();
        f.debug_struct("Style").field("verbose", &self.verbose).field("names", &names).finish()
    }
}

impl Style<'_> {
    /// Writes a port's number, or its name.
    pub(super) fn port(&self, out: &mut String, port: PortNo) {
        let _ = match self.names.and_then(|names| names(port)) {
            Some(name) => out.write_str(&name),
            None => write!(out, "{}", port.0),
        };
    }
}

/// Writes a datapath flow: the key, and the mask where it is not exact. Without a mask every bit
/// counts.
#[must_use]
pub fn format_key(flow: &Flow, mask: Option<&Mask>, style: &Style<'_>) -> String {
    let exact = Mask::exact();
    let mask = mask.unwrap_or(&exact);
    let mut w = Writer { out: String::new(), flow, mask: &mask.0, style };
    w.metadata();
    w.ethernet();
    w.out
}

struct Writer<'a> {
    out: String,
    flow: &'a Flow,
    mask: &'a Flow,
    style: &'a Style<'a>,
}

impl Writer<'_> {
    fn separate(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'(')) {
            self.out.push(',');
        }
    }

    fn attr(&mut self, attr: &Attr) {
        if self.style.verbose || !attr.is_wildcard(self.mask) {
            self.separate();
            attr.write(&mut self.out, self.flow, self.mask, self.style.verbose);
        }
    }

    fn metadata(&mut self) {
        self.attr(&attr::SKB_PRIORITY);
        self.attr(&attr::SKB_MARK);
        self.ct_state();
        self.attr(&attr::CT_ZONE);
        self.attr(&attr::CT_MARK);
        self.attr(&attr::CT_LABEL);
        if self.flow.ct_nw_proto != 0 {
            match self.flow.dl_type.get() {
                eth_type::IPV4 => self.attr(&attr::CT_TUPLE4),
                eth_type::IPV6 => self.attr(&attr::CT_TUPLE6),
                _ => {}
            }
        }
        self.attr(&attr::RECIRC_ID);
        self.attr(&attr::DP_HASH);
        self.in_port();
        self.packet_type();
    }

    fn ct_state(&mut self) {
        let (v, mask) = (self.flow.ct_state.get(), self.mask.ct_state.get());
        if mask == 0 && !self.style.verbose {
            return;
        }
        self.separate();
        self.out.push_str("ct_state(");
        if self.style.verbose {
            hex(&mut self.out, v.into());
            if mask != u32::MAX {
                self.out.push('/');
                hex(&mut self.out, mask.into());
            }
        } else if mask == u32::MAX {
            value::write_flags(&mut self.out, value::CT_STATE, v, '|');
        } else {
            value::write_masked_flags(&mut self.out, value::CT_STATE, v, mask);
        }
        self.out.push(')');
    }

    fn in_port(&mut self) {
        let mask = self.mask.in_port.get();
        if mask == 0 && !self.style.verbose {
            return;
        }
        self.separate();
        self.out.push_str("in_port(");
        self.style.port(&mut self.out, PortNo(self.flow.in_port.get()));
        if mask != u32::MAX {
            self.out.push('/');
            hex(&mut self.out, mask.into());
        }
        self.out.push(')');
    }

    fn packet_type(&mut self) {
        let mask = self.mask.packet_type.get();
        if mask == 0 && !self.style.verbose {
            return;
        }
        self.separate();
        let [ns, id] = halves(self.flow.packet_type.get());
        let [ns_mask, id_mask] = halves(mask);
        let _ = write!(self.out, "packet_type(ns={ns}");
        self.half_mask(ns_mask);
        self.out.push_str(",id=");
        hex(&mut self.out, id.into());
        self.half_mask(id_mask);
        self.out.push(')');
    }

    fn half_mask(&mut self, mask: u16) {
        if mask != u16::MAX {
            self.out.push('/');
            hex(&mut self.out, mask.into());
        }
    }

    fn ethernet(&mut self) {
        if self.flow.packet_type.get() == PT_ETH {
            self.attr(&attr::ETH);
        }
        let tags = self.flow.n_vlans();
        for n in 0..tags {
            self.eth_type(self.flow.vlans[n].tpid.get(), u16::MAX);
            self.vlan(n);
            self.separate();
            self.out.push_str("encap(");
        }
        self.network();
        for _ in 0..tags {
            self.out.push(')');
        }
    }

    fn eth_type(&mut self, ty: u16, mask: u16) {
        self.separate();
        let _ = match mask {
            u16::MAX => write!(self.out, "eth_type({ty:#06x})"),
            _ => write!(self.out, "eth_type({ty:#06x}/{mask:#06x})"),
        };
    }

    fn vlan(&mut self, n: usize) {
        let (tci, mask) = (self.flow.vlans[n].tci.get(), self.mask.vlans[n].tci.get());
        if mask == 0 && !self.style.verbose {
            return;
        }
        self.separate();
        self.out.push_str("vlan(");
        write_tci(&mut self.out, tci, mask, self.style.verbose);
        self.out.push(')');
    }

    fn network(&mut self) {
        let (flow, mask) = (self.flow, self.mask);
        let ty = flow.dl_type.get();
        if ty < 0x600 {
            if mask.dl_type.get() != 0 || self.style.verbose {
                self.separate();
                self.out.push_str("eth_type(0/0xffff)");
            }
            return;
        }
        if mask.dl_type.get() != 0 || self.style.verbose {
            self.eth_type(ty, mask.dl_type.get());
        }
        match ty {
            eth_type::IPV4 => self.attr(&attr::IPV4),
            eth_type::IPV6 => self.attr(&attr::IPV6),
            eth_type::ARP | eth_type::RARP => return self.attr(&attr::ARP),
            eth_type::MPLS | eth_type::MPLS_MCAST => return self.mpls(),
            // A tag that is cut short.
            eth_type::VLAN_8021Q | eth_type::VLAN_8021AD if flow.n_vlans() < MAX_VLANS => {
                self.vlan(flow.n_vlans());
                self.separate();
                return self.out.push_str("encap()");
            }
            _ => return,
        }
        if flow.nw_frag & FRAG_LATER == 0 {
            self.transport();
        }
    }

    fn transport(&mut self) {
        match self.flow.nw_proto {
            ip_proto::TCP => {
                self.attr(&attr::TCP);
                self.tcp_flags();
            }
            ip_proto::UDP => self.attr(&attr::UDP),
            ip_proto::SCTP => self.attr(&attr::SCTP),
            ip_proto::ICMP if self.flow.dl_type.get() == eth_type::IPV4 => self.attr(&attr::ICMP),
            ip_proto::ICMPV6 if self.flow.dl_type.get() == eth_type::IPV6 => {
                self.attr(&attr::ICMPV6);
                let is_nd =
                    matches!(self.flow.tp_src.get(), 135 | 136) && self.flow.tp_dst.get() == 0;
                if is_nd && (self.style.verbose || self.mask_has_type_and_code()) {
                    self.attr(&attr::ND);
                    if !attr::ND_EXT.is_wildcard(self.mask) {
                        self.attr(&attr::ND_EXT);
                    }
                }
            }
            _ => {}
        }
    }

    /// What a message is decides what its fields are: these count only if that does.
    fn mask_has_type_and_code(&self) -> bool {
        self.mask.tp_src.get() & 0xff == 0xff && self.mask.tp_dst.get() & 0xff == 0xff
    }

    fn tcp_flags(&mut self) {
        let (v, mask) = (self.flow.tcp_flags.get(), self.mask.tcp_flags.get() & 0xfff);
        if mask == 0 {
            return;
        }
        self.separate();
        self.out.push_str("tcp_flags(");
        if mask == 0xfff {
            value::write_flags(&mut self.out, value::TCP_FLAGS, v.into(), '|');
        } else {
            value::write_masked_flags(&mut self.out, value::TCP_FLAGS, v.into(), mask.into());
        }
        self.out.push(')');
    }

    fn mpls(&mut self) {
        let n = mpls_depth(self.flow);
        if !self.style.verbose && self.mask.mpls_lse[..n].iter().all(|m| m.get() == 0) {
            return;
        }
        self.separate();
        write_mpls(&mut self.out, self.flow, self.mask, n);
    }
}

fn halves(v: u32) -> [u16; 2] {
    [(v >> 16) as u16, v as u16]
}

/// Label stack entries of a flow: up to the bottom of the stack or the last one that is not zero,
/// at least one.
fn mpls_depth(flow: &Flow) -> usize {
    let stack = &flow.mpls_lse;
    let bottom = stack.iter().position(|lse| lse.get() & 0x100 != 0);
    let last = || stack.iter().rposition(|lse| lse.get() != 0).unwrap_or(0);
    bottom.unwrap_or_else(last) + 1
}

/// Writes `mpls(label=...,tc=...,ttl=...,bos=...)` of the first `n` entries.
pub(super) fn write_mpls(out: &mut String, flow: &Flow, mask: &Flow, n: usize) {
    let exact = mask.mpls_lse[..n].iter().all(|m| m.get() == u32::MAX);
    let split = |lse: u32| (lse >> 12, lse >> 9 & 7, lse & 0xff, lse >> 8 & 1);
    out.push_str("mpls(");
    for (i, (lse, m)) in flow.mpls_lse.iter().zip(&mask.mpls_lse).take(n).enumerate() {
        if i > 0 {
            out.push(',');
        }
        let (label, tc, ttl, bos) = split(lse.get());
        let (ml, mt, mttl, mb) = split(m.get());
        let _ = if exact {
            write!(out, "label={label},tc={tc},ttl={ttl},bos={bos}")
        } else {
            write!(out, "label={label}/{ml:#x},tc={tc}/{mt:x},ttl={ttl}/{mttl:#x},bos={bos}/{mb:x}")
        };
    }
    out.push(')');
}

/// Writes the fields of a VLAN TCI; a field that is neither set nor in the mask only if `verbose`.
pub(super) fn write_tci(out: &mut String, tci: u16, mask: u16, verbose: bool) {
    let mut comma = "";
    for (name, shift, full) in [("vid", 0, 0xfff), ("pcp", 13, 7)] {
        let (v, m) = (tci >> shift & full, mask >> shift & full);
        if !verbose && v == 0 && m == 0 {
            continue;
        }
        let _ = write!(out, "{comma}{name}={v}");
        if m != full {
            let _ = write!(out, "/{m:#x}");
        }
        comma = ",";
    }
    if tci & VLAN_CFI == 0 {
        let _ = write!(out, "{comma}cfi=0");
    }
}
