//! Flag sets: `+syn-ack`, `syn|ack`, `0x12/0x13`.

use super::number::{alt_hex, split_number};
use super::{TextError, text_error};

/// The names of a field's flags.
#[derive(Debug)]
pub struct FlagNames {
    /// What errors call the field.
    pub what: &'static str,
    /// Bit and name.
    pub names: &'static [(u32, &'static str)],
    /// Bits that may be matched; a mask of all of them is an exact match.
    pub all: u32,
}

/// `tcp_flags`
pub static TCP_FLAGS: FlagNames = FlagNames {
    what: "TCP",
    names: &[
        (0x001, "fin"),
        (0x002, "syn"),
        (0x004, "rst"),
        (0x008, "psh"),
        (0x010, "ack"),
        (0x020, "urg"),
        (0x040, "ece"),
        (0x080, "cwr"),
        (0x100, "ns"),
        (0x200, "[200]"),
        (0x400, "[400]"),
        (0x800, "[800]"),
    ],
    all: 0xfff,
};

/// `ct_state`
pub static CT_STATE: FlagNames = FlagNames {
    what: "ct_state",
    names: &[
        (0x01, "new"),
        (0x02, "est"),
        (0x04, "rel"),
        (0x08, "rpl"),
        (0x10, "inv"),
        (0x20, "trk"),
        (0x40, "snat"),
        (0x80, "dnat"),
    ],
    all: 0xff,
};

/// `tun_flags`: of the flags a tunnel packet can have, OpenFlow sees `oam` only.
pub static TUN_FLAGS: FlagNames = FlagNames {
    what: "tunnel",
    names: &[(0x1, "oam"), (0x2, "df"), (0x4, "csum"), (0x8, "key")],
    all: 0x1,
};

impl FlagNames {
    fn bit(&self, name: &str) -> Option<u32> {
        self.names.iter().find(|(_, n)| *n == name).map(|(b, _)| *b)
    }

    fn name(&self, bit: u32) -> Option<&'static str> {
        self.names.iter().find(|(b, _)| *b == bit).map(|(_, n)| *n)
    }

    /// Set flags joined with `|`, unknown ones in hexadecimal, `0` for none.
    #[must_use]
    pub fn format(&self, flags: u32) -> String {
        let mut parts = Vec::new();
        let mut unknown = 0;
        for i in 0..32 {
            let bit = flags & (1 << i);
            match self.name(bit) {
                Some(n) if bit != 0 => parts.push(n.to_owned()),
                _ => unknown |= bit,
            }
        }
        if unknown != 0 || parts.is_empty() {
            parts.push(alt_hex(u128::from(unknown)));
        }
        parts.join("|")
    }

    /// Like [`FlagNames::format`] for an exact match, else a `+name` or `-name` for each bit.
    #[must_use]
    pub fn format_masked(&self, flags: u32, mask: u32) -> String {
        if mask & self.all == self.all && self.all.count_ones() > 1 {
            return self.format(flags);
        }
        let mut out = String::new();
        for i in 0..32 {
            let bit = 1 << i;
            if mask & bit != 0 {
                out.push(if flags & bit != 0 { '+' } else { '-' });
                out.push_str(self.name(bit).unwrap_or("[Unknown]"));
            }
        }
        out
    }

    /// Reads flags and mask.
    ///
    /// # Errors
    /// `NAME: unknown WHAT flag(s)` and the like.
    pub fn parse(&self, s: &str) -> Result<(u32, u32), TextError> {
        if let Some((false, value, rest)) = split_number(s) {
            let bits = |n: u128| u32::try_from(n).ok().filter(|n| n & !self.all == 0);
            let (mask, rest) = match rest.strip_prefix('/').map(split_number) {
                Some(Some((false, m, rest))) => (m, rest),
                Some(_) => text_error!("{s}: unknown {} flag(s)", self.what),
                None => (u128::from(self.all), rest),
            };
            return match (bits(value), bits(mask)) {
                (Some(v), Some(m)) if rest.is_empty() => Ok((v & m, m)),
                _ => text_error!("{s}: unknown {} flag(s)", self.what),
            };
        }
        if !s.starts_with(['+', '-']) {
            let mut flags = 0;
            for name in s.strip_suffix('|').unwrap_or(s).split('|') {
                flags |= self.known(name)?;
            }
            return Ok((flags, self.all));
        }
        let (mut flags, mut mask) = (0, 0);
        let mut rest = s;
        while let Some(sign) = rest.chars().next() {
            if !matches!(sign, '+' | '-') {
                text_error!(
                    "{s}: {} flag must be preceded by '+' (for SET) or '-' (NOT SET)",
                    self.what
                );
            }
            let tail = &rest[1..];
            let end = tail.find(['+', '-']).unwrap_or(tail.len());
            let (name, after) = tail.split_at(end);
            let bit = self.known(name)?;
            if mask & bit != 0 {
                text_error!("{name}: Each {} flag can be specified only once", self.what);
            }
            mask |= bit;
            if sign == '+' {
                flags |= bit;
            }
            rest = after;
        }
        Ok((flags, mask))
    }

    fn known(&self, name: &str) -> Result<u32, TextError> {
        let bit = self.bit(name).filter(|b| b & self.all != 0);
        bit.ok_or_else(|| TextError(format!("{name}: unknown {} flag(s)", self.what)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(TCP_FLAGS.parse("+syn-ack"), Ok((0x2, 0x12)));
        assert_eq!(TCP_FLAGS.parse("syn|ack"), Ok((0x12, 0xfff)));
        assert_eq!(TCP_FLAGS.parse("0x12/0x13"), Ok((0x12, 0x13)));
        assert_eq!(TCP_FLAGS.format_masked(0x12, 0x13), "-fin+syn+ack");
        assert_eq!(TCP_FLAGS.format_masked(0x12, 0xfff), "syn|ack");
        assert_eq!(TCP_FLAGS.format_masked(0, 0xfff), "0");
        assert_eq!(TUN_FLAGS.format_masked(1, 1), "+oam");
        assert_eq!(CT_STATE.parse("+foo").unwrap_err().0, "foo: unknown ct_state flag(s)");
    }
}
