//! [`OfPort`]: an OpenFlow port number, its reserved values, its text, and [`NameMap`] for names.
//!
//! Inside Weir a port number has 16 bits, as in OpenFlow 1.0; OpenFlow 1.1 and later write it with
//! 32 bits and put the reserved numbers at the top of that range.

use std::collections::HashMap;
use std::fmt;

/// A 16-bit OpenFlow port number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OfPort(pub u16);

/// How far OpenFlow 1.1's reserved ports are from OpenFlow 1.0's.
const OFPP11_OFFSET: u32 = 0xffff_0000;

/// Reserved ports with a name, in the order of the names' lists. `NONE` is another name of `ANY`.
const RESERVED: [(OfPort, &str); 9] = [
    (OfPort::IN_PORT, "IN_PORT"),
    (OfPort::TABLE, "TABLE"),
    (OfPort::NORMAL, "NORMAL"),
    (OfPort::FLOOD, "FLOOD"),
    (OfPort::ALL, "ALL"),
    (OfPort::CONTROLLER, "CONTROLLER"),
    (OfPort::LOCAL, "LOCAL"),
    (OfPort::NONE, "ANY"),
    (OfPort::UNSET, "UNSET"),
];

impl OfPort {
    /// First number that is not a port's any more.
    pub const MAX: Self = Self(0xff00);
    /// First reserved number.
    pub const FIRST_RESV: Self = Self(0xfff7);
    /// "Not set", the value of `actset_output` before an output.
    pub const UNSET: Self = Self(0xfff7);
    /// Back to where the packet came from.
    pub const IN_PORT: Self = Self(0xfff8);
    /// Through the flow tables (packet-out only).
    pub const TABLE: Self = Self(0xfff9);
    /// Through the switch's own L2 processing.
    pub const NORMAL: Self = Self(0xfffa);
    /// All ports but the ingress port and those with flooding disabled.
    pub const FLOOD: Self = Self(0xfffb);
    /// All ports but the ingress port.
    pub const ALL: Self = Self(0xfffc);
    /// To the controllers.
    pub const CONTROLLER: Self = Self(0xfffd);
    /// The bridge's own port.
    pub const LOCAL: Self = Self(0xfffe);
    /// No port; `OFPP_ANY` since 1.1.
    pub const NONE: Self = Self(0xffff);

    /// Is it one of the named reserved ports?
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 >= Self::FIRST_RESV.0
    }

    /// Its 32-bit form of OpenFlow 1.1 and later.
    #[must_use]
    pub fn to_ofp11(self) -> u32 {
        let n = u32::from(self.0);
        if self.0 < Self::MAX.0 { n } else { n + OFPP11_OFFSET }
    }

    /// From the 32-bit form; `None` (the wire error is `OFPBAC_BAD_OUT_PORT` or `OFPBMC_BAD_VALUE`)
    /// for numbers between the ports and the reserved range.
    #[must_use]
    pub fn from_ofp11(n: u32) -> Option<Self> {
        let low = if n < u32::from(Self::MAX.0) {
            n
        } else {
            n.checked_sub(OFPP11_OFFSET).filter(|n| *n >= u32::from(Self::MAX.0))?
        };
        u16::try_from(low).ok().map(Self)
    }

    /// The reserved port's upper-case name.
    #[must_use]
    pub fn reserved_name(self) -> Option<&'static str> {
        RESERVED.iter().find(|(p, _)| *p == self).map(|(_, name)| *name)
    }

    /// Reads a port as flow syntax has it: a number of either width, a reserved name in any case,
    /// or a name of the map.
    #[must_use]
    pub fn parse(s: &str, names: Option<&NameMap>) -> Option<Self> {
        if let Some(n) = crate::value_text::parse_u32(s) {
            return Self::from_number(n);
        }
        if s.eq_ignore_ascii_case("NONE") {
            return Some(Self::NONE);
        }
        if let Some((port, _)) = RESERVED.iter().find(|(_, name)| s.eq_ignore_ascii_case(name)) {
            return Some(*port);
        }
        let bare = unquote(s);
        names?.number(bare.as_deref().unwrap_or(s)).and_then(|n| u16::try_from(n).ok()).map(Self)
    }

    /// Reads a number in either width's range.
    #[must_use]
    pub fn from_number(n: u32) -> Option<Self> {
        match u16::try_from(n) {
            Ok(low) => {
                let port = Self(low);
                if let Some(name) = port.reserved_name() {
                    log::warn!(
                        target: "ofp_port",
                        "referring to port {name} as {low} is deprecated for compatibility with \
                         OpenFlow 1.1 and later"
                    );
                } else if port >= Self::MAX {
                    log::warn!(
                        target: "ofp_port",
                        "port {low} is a reserved OF1.0 port number that will be translated to {} \
                         when talking to an OF1.1 or later controller",
                        port.to_ofp11()
                    );
                }
                Some(port)
            }
            Err(_) => Self::from_ofp11(n),
        }
    }

    /// Writes the port as flow syntax has it: reserved name, name of the map, or number.
    #[must_use]
    pub fn display<'a>(self, names: Option<&'a NameMap>) -> PortText<'a> {
        PortText { port: self, names }
    }
}

/// See [`OfPort::display`].
#[derive(Debug)]
pub struct PortText<'a> {
    port: OfPort,
    names: Option<&'a NameMap>,
}

impl fmt::Display for PortText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.port.reserved_name() {
            return f.write_str(name);
        }
        match self.names.and_then(|n| n.name(u32::from(self.port.0))) {
            Some(name) => f.write_str(&quote(name)),
            None => write!(f, "{}", self.port.0),
        }
    }
}

/// The number, or the reserved name.
impl fmt::Display for OfPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(None).fmt(f)
    }
}

/// Names of ports or tables. A name or number that occurs twice is ambiguous and resolves to
/// nothing.
#[derive(Clone, Debug, Default)]
pub struct NameMap {
    by_number: HashMap<u32, Option<String>>,
    by_name: HashMap<String, Option<u32>>,
}

impl NameMap {
    /// Adds a pair; an empty name is ignored.
    pub fn insert(&mut self, number: u32, name: &str) {
        if name.is_empty() {
            return;
        }
        let by_number = self.by_number.entry(number).or_insert_with(|| Some(name.to_owned()));
        if by_number.as_deref() != Some(name) {
            *by_number = None;
        }
        let by_name = self.by_name.entry(name.to_owned()).or_insert(Some(number));
        if *by_name != Some(number) {
            *by_name = None;
        }
    }

    /// The name of `number`, when it has exactly one.
    #[must_use]
    pub fn name(&self, number: u32) -> Option<&str> {
        self.by_number.get(&number)?.as_deref()
    }

    /// The number of `name`, when it has exactly one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        *self.by_name.get(name)?
    }
}

/// A name as flow text writes it: bare when it is a letter followed by letters and digits, else as
/// a JSON string.
#[must_use]
pub fn quote(name: &str) -> String {
    let bytes = name.as_bytes();
    let bare = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    if bare {
        return name.to_owned();
    }
    let mut out = String::from("\"");
    for c in name.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Takes a JSON string apart; `None` when `s` is not one.
#[must_use]
pub fn unquote(s: &str) -> Option<String> {
    let inner = s.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let hex: String = chars.by_ref().take(4).collect();
                char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?
            }
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_widths() {
        for n in 0..=u16::MAX {
            assert_eq!(OfPort::from_ofp11(OfPort(n).to_ofp11()), Some(OfPort(n)));
        }
        assert_eq!(OfPort::LOCAL.to_ofp11(), 0xffff_fffe);
        assert_eq!(OfPort::from_ofp11(0xff00), None);
        assert_eq!(OfPort::from_ofp11(0xfffe_ffff), None);
    }

    #[test]
    fn text_uses_reserved_names_then_the_map_then_numbers() {
        let mut names = NameMap::default();
        for (n, s) in [(1, "p1"), (2, "p-2"), (3, "a"), (3, "b"), (4, "a")] {
            names.insert(n, s);
        }
        let show = |n| OfPort(n).display(Some(&names)).to_string();
        assert_eq!([show(1), show(2), show(3), show(9)], ["p1", "\"p-2\"", "3", "9"]);
        assert_eq!(OfPort::NONE.to_string(), "ANY");
        assert_eq!(OfPort::parse("p-2", Some(&names)), Some(OfPort(2)));
        assert_eq!(OfPort::parse("\"p-2\"", Some(&names)), Some(OfPort(2)));
        assert_eq!(OfPort::parse("a", Some(&names)), None);
        assert_eq!(OfPort::parse("local", None), Some(OfPort::LOCAL));
        assert_eq!(OfPort::parse("0xfffffffe", None), None);
        assert_eq!(OfPort::parse("4294967294", None), Some(OfPort::LOCAL));
    }
}
