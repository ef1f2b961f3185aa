//! Reads datapath flows.

use super::PortByName;
use super::attr::Attr;
use super::scan::{Scanner, SyntaxError};
use super::value;
use crate::flow::{Flow, MAX_VLANS, VLAN_CFI, Vlan, eth_type};
use crate::mask::Mask;

/// Most `encap` inside each other.
const MAX_DEPTH: usize = 8;

/// A datapath flow read from text.
#[derive(Clone, Copy, Debug)]
pub struct ParsedKey {
    /// The key: what is not in the text is zero. Without `eth_type` the type is
    /// [`eth_type::NONE`], without `eth` the packet starts with its network header.
    pub flow: Flow,
    /// The bits that the text tells.
    pub mask: Mask,
    /// Unique flow identifier, if the text starts with one.
    pub ufid: Option<u128>,
}

/// Reads a datapath flow. Attributes may stand in any order, separated by commas or white space.
/// With `ports`, `in_port` may be a name.
///
/// # Errors
/// The text has an unknown attribute or a malformed value.
pub fn parse_key(text: &str, ports: Option<PortByName<'_>>) -> Result<ParsedKey, SyntaxError> {
    let mut s = Scanner::new(text);
    s.separators();
    let mut p = Parser { flow: Flow::ZERO, mask: Flow::ZERO, ports, has_eth: false, has_pt: false };
    let mut ufid = None;
    let mut level = Level::new(0);
    loop {
        s.separators();
        if s.rest().is_empty() {
            break;
        }
        let here = s;
        let done = if here.rest().starts_with("ufid:") {
            read_ufid(&mut s).map(|u| ufid = Some(u))
        } else {
            p.attr(&mut s, &mut level)
        };
        done.ok_or_else(|| SyntaxError(here.rest().to_owned()))?;
    }
    p.close(&level);
    if p.flow.dl_type.get() == 0 {
        p.flow.dl_type = eth_type::NONE.into();
    } else if !p.has_eth && !p.has_pt {
        p.flow.packet_type = (1 << 16 | u32::from(p.flow.dl_type.get())).into();
    }
    Ok(ParsedKey { flow: p.flow, mask: Mask(p.mask), ufid })
}

fn read_ufid(s: &mut Scanner<'_>) -> Option<u128> {
    s.expect("ufid:")?;
    let text = s.word(|c| c.is_ascii_hexdigit() || c == '-');
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok()
}

struct Parser<'a> {
    flow: Flow,
    mask: Flow,
    ports: Option<PortByName<'a>>,
    has_eth: bool,
    has_pt: bool,
}

/// What stands inside one pair of parentheses: the type before a `vlan` is the tag's, else the
/// packet's.
struct Level {
    depth: usize,
    ty: Option<(u16, u16)>,
    tagged: bool,
}

impl Level {
    fn new(depth: usize) -> Self {
        Self { depth, ty: None, tagged: false }
    }
}

impl Parser<'_> {
    fn attr(&mut self, s: &mut Scanner<'_>, level: &mut Level) -> Option<()> {
        let name = s.word(|c| c.is_ascii_alphanumeric() || c == '_');
        s.expect("(")?;
        match name {
            "eth_type" => {
                let v = s.int()?;
                let mask = if s.eat("/") { s.int()? } else { u16::MAX };
                level.ty = Some((v, mask));
                s.expect(")")
            }
            "vlan" => self.vlan(s, level),
            "encap" => {
                let mut inner = Level::new(level.depth + 1);
                if inner.depth > MAX_DEPTH {
                    return None;
                }
                loop {
                    s.separators();
                    if s.eat(")") {
                        break;
                    }
                    self.attr(s, &mut inner)?;
                }
                self.close(&inner);
                Some(())
            }
            "in_port" => self.in_port(s),
            "packet_type" => {
                self.has_pt = true;
                let (flow, mask) = (&mut self.flow, &mut self.mask);
                s.fields(|s, name| {
                    let shift = match name {
                        "ns" => 16,
                        "id" => 0,
                        _ => return None,
                    };
                    let v = u32::from(s.int::<u16>()?);
                    let m = if s.eat("/") { s.int::<u16>()?.into() } else { 0xffff };
                    flow.packet_type = (flow.packet_type.get() | v << shift).into();
                    mask.packet_type = (mask.packet_type.get() | m << shift).into();
                    Some(())
                })
            }
            "ct_state" => {
                let (v, mask) = value::read_flags(s, value::CT_STATE, 0xff)?;
                (self.flow.ct_state, self.mask.ct_state) = (v.into(), mask.into());
                s.expect(")")
            }
            "tcp_flags" => {
                let (v, mask) = value::read_flags(s, value::TCP_FLAGS, 0xfff)?;
                self.flow.tcp_flags = (v as u16).into();
                self.mask.tcp_flags = (mask as u16).into();
                s.expect(")")
            }
            "mpls" => read_mpls(s, &mut self.flow, &mut self.mask),
            _ => {
                self.has_eth |= name == "eth";
                Attr::by_name(name)?.read(s, &mut self.flow, &mut self.mask)
            }
        }
    }

    fn in_port(&mut self, s: &mut Scanner<'_>) -> Option<()> {
        let mut mask = u32::MAX;
        let port = if s.peek().is_some_and(|c| c.is_ascii_digit()) {
            let port = s.int()?;
            if s.eat("/") {
                mask = s.int()?;
            }
            port
        } else {
            let name = s.word(|c| c != ')');
            self.ports?(name)?.0
        };
        (self.flow.in_port, self.mask.in_port) = (port.into(), mask.into());
        s.expect(")")
    }

    fn vlan(&mut self, s: &mut Scanner<'_>, level: &mut Level) -> Option<()> {
        let (tci, tci_mask) = read_tci(s)?;
        level.tagged = true;
        if tci & VLAN_CFI == 0 {
            // A tag that is cut short: its type is that of the packet.
            level.tagged = false;
            return Some(());
        }
        let (tpid, tpid_mask) = level.ty.unwrap_or((eth_type::VLAN_8021Q, u16::MAX));
        if level.depth >= MAX_VLANS {
            return None;
        }
        self.flow.vlans[level.depth] = Vlan { tpid: tpid.into(), tci: tci.into() };
        self.mask.vlans[level.depth] = Vlan { tpid: tpid_mask.into(), tci: tci_mask.into() };
        Some(())
    }

    /// At the end of a level without tag, its type is the packet's.
    fn close(&mut self, level: &Level) {
        if let (Some((ty, mask)), false) = (level.ty, level.tagged) {
            (self.flow.dl_type, self.mask.dl_type) = (ty.into(), mask.into());
            // How text says that there is no type.
            if ty == 0 {
                self.flow.dl_type = eth_type::NONE.into();
            }
        }
    }
}

/// Reads the fields of a TCI and the closing parenthesis. The presence bit is set unless `cfi=0`.
pub(super) fn read_tci(s: &mut Scanner<'_>) -> Option<(u16, u16)> {
    let (mut tci, mut mask) = (VLAN_CFI, VLAN_CFI);
    s.fields(|s, name| {
        let (shift, full) = match name {
            "vid" => (0, 0xfff),
            "pcp" => (13, 7),
            "cfi" => (12, 1),
            _ => return None,
        };
        let v: u16 = s.int()?;
        let m: u16 = if s.eat("/") { s.int()? } else { full };
        if v > full || m > full {
            return None;
        }
        tci = tci & !(full << shift) | v << shift;
        mask = mask & !(full << shift) | m << shift;
        Some(())
    })?;
    Some((tci, mask))
}

/// Reads label stack entries, each starting with `label`, and the closing parenthesis.
pub(super) fn read_mpls(s: &mut Scanner<'_>, flow: &mut Flow, mask: &mut Flow) -> Option<()> {
    let mut n: Option<usize> = None;
    s.fields(|s, name| {
        let (shift, full) = match name {
            "label" => (12, 0xf_ffff),
            "tc" => (9, 7),
            "ttl" => (0, 0xff),
            "bos" => (8, 1),
            _ => return None,
        };
        let v: u32 = s.int()?;
        let m: u32 = if s.eat("/") { s.int()? } else { full };
        if v > full || m > full {
            return None;
        }
        if name == "label" && n.is_some() {
            n = n.map(|n| n + 1);
        }
        let slot = *n.get_or_insert(0);
        let (lse, lse_mask) = (flow.mpls_lse.get_mut(slot)?, mask.mpls_lse.get_mut(slot)?);
        *lse = (lse.get() & !(full << shift) | v << shift).into();
        *lse_mask = (lse_mask.get() & !(full << shift) | m << shift).into();
        Some(())
    })
}
