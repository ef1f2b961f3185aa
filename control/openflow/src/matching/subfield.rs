//! [`Subfield`]: some bits of a field, as `NXM_NX_REG0[4..7]`.

use std::fmt;

use weir_flow::field::{Place, id};
use weir_flow::{Field, FieldId};

use super::{FieldValue, Match, prerequisites};
use crate::nxm::header::{field_by_oxm_name, preferred};
use crate::ofp_errors::OfpError;
use crate::value_text::field::action_name;
use crate::value_text::{TextError, text_error};

/// `n_bits` bits of `field`, from bit `ofs` (0 is the least significant) on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subfield {
    /// The field.
    pub field: FieldId,
    /// Its lowest bit.
    pub ofs: u16,
    /// How many bits, at least one.
    pub n_bits: u16,
}

impl Subfield {
    /// All bits of a field.
    #[must_use]
    pub fn whole(field: &Field) -> Self {
        Self { field: field.id, ofs: 0, n_bits: field.bits }
    }

    /// Is it all bits of its field?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.ofs == 0 && self.n_bits == self.field.field().bits
    }

    /// Reads a subfield at the start of a text, `FIELD`, `FIELD[]`, `FIELD[BIT]` or
    /// `FIELD[START..END]`, where the field has its name of the flow syntax or an NXM or OXM name.
    /// Answers it with what follows.
    ///
    /// # Errors
    /// The text of Open vSwitch.
    pub fn parse_prefix(s: &str) -> Result<(Self, &str), TextError> {
        let end = s.find(['[', '-']).unwrap_or(s.len());
        let (name, rest) = s.split_at(end);
        let field = field_by_oxm_name(name).map(|(f, _)| f).or_else(|| Field::by_name(name));
        let Some(field) = field else { text_error!("{s}: unknown field `{name}'") };
        let Some(inner) = rest.strip_prefix('[') else { return Ok((Self::whole(field), rest)) };
        let bits = inner.split_once(']').and_then(|(range, after)| {
            let number = |n: &str| n.trim_start().parse::<i64>().ok();
            let (start, end) = match range.split_once("..") {
                None if range.is_empty() => (0, i64::from(field.bits) - 1),
                None => (number(range)?, number(range)?),
                Some((a, b)) => (number(a)?, number(b)?),
            };
            Some((start, end, after))
        });
        let Some((start, end, after)) = bits else {
            text_error!("{s}: syntax error expecting [] or [<bit>] or [<start>..<end>]")
        };
        let width = i64::from(field.bits);
        if start > end {
            text_error!("{s}: starting bit {start} is after ending bit {end}");
        }
        for (what, bit) in [("starting", start), ("ending", end)] {
            if bit >= width {
                text_error!(
                    "{s}: {what} bit {bit} is not valid because field is only {width} bits wide"
                );
            }
        }
        let (Ok(ofs), Ok(n_bits)) = (u16::try_from(start), u16::try_from(end - start + 1)) else {
            text_error!("{s}: syntax error expecting [] or [<bit>] or [<start>..<end>]")
        };
        Ok((Self { field: field.id, ofs, n_bits }, after))
    }

    /// Reads a subfield that is the whole text.
    ///
    /// # Errors
    /// The text of Open vSwitch.
    pub fn parse(s: &str) -> Result<Self, TextError> {
        match Self::parse_prefix(s)? {
            (subfield, "") => Ok(subfield),
            _ => text_error!("unexpected input following field syntax"),
        }
    }

    /// The subfield's bits of a value of its field.
    #[must_use]
    pub fn of_value(&self, value: &FieldValue) -> FieldValue {
        let mut out = FieldValue::zero(usize::from(self.n_bits).div_ceil(8));
        for i in 0..usize::from(self.n_bits) {
            if value.bit(usize::from(self.ofs) + i) {
                out.set_bits(i, 1, true);
            }
        }
        out
    }

    fn check(&self, matched: Option<&Match>, what: &str) -> Result<(), OfpError> {
        let field = self.field.field();
        let (ofs, n_bits, width) = (u32::from(self.ofs), u32::from(self.n_bits), field.bits.into());
        if self.n_bits == 0 || ofs + n_bits > width {
            log::warn!(
                target: "meta_flow",
                "bit offset {ofs} and width {n_bits} exceeds {width}-bit width of {what} field {}",
                field.name
            );
            return Err(OfpError::OFPBAC_BAD_SET_LEN);
        }
        if let Some(m) = matched
            && !prerequisites::are_ok(field, &m.flow, Some(&m.mask.0))
        {
            log::warn!(target: "meta_flow", "{what} field {} lacks correct prerequisites", action_name(field));
            return Err(OfpError::OFPBAC_MATCH_INCONSISTENT);
        }
        Ok(())
    }

    /// Can it be read, in a flow with this match?
    ///
    /// # Errors
    /// `OFPBAC_BAD_SET_LEN`, `OFPBAC_MATCH_INCONSISTENT`
    pub fn check_src(&self, matched: Option<&Match>) -> Result<(), OfpError> {
        self.check(matched, "source")
    }

    /// Can it be written, in a flow with this match?
    ///
    /// # Errors
    /// As [`Subfield::check_src`], and `OFPBAC_BAD_SET_ARGUMENT` for a field that is read-only.
    pub fn check_dst(&self, matched: Option<&Match>) -> Result<(), OfpError> {
        self.check(matched, "destination")?;
        let field = self.field.field();
        if !field.writable {
            log::warn!(target: "meta_flow", "destination field {} is not writable", action_name(field));
            return Err(OfpError::OFPBAC_BAD_SET_ARGUMENT);
        }
        Ok(())
    }
}

impl Match {
    /// Matches the bits of a subfield exactly, the other bits of its field as before.
    pub fn set_subfield(&mut self, subfield: &Subfield, bits: &FieldValue) {
        let field = subfield.field.field();
        let (mut value, mut mask) = self.get(field);
        let (ofs, n) = (usize::from(subfield.ofs), usize::from(subfield.n_bits));
        value.put_bits(ofs, n, bits);
        mask.set_bits(ofs, n, true);
        if !matches!(field.place, Place::TunMetadata)
            && field.id != id::VLAN_VID
            && mask.as_u128() & field.all_ones() == field.all_ones()
        {
            mask = FieldValue::ones(mask.len());
        }
        self.set(field, &value, &mask);
    }
}

/// `NXM_NX_REG0[]`, `NXM_NX_REG0[3]`, `NXM_NX_REG0[3..5]`
impl fmt::Display for Subfield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.field();
        f.write_str(preferred(field, None).map_or(field.name.as_str(), |(_, name)| name))?;
        if self.is_whole() {
            f.write_str("[]")
        } else if self.n_bits == 1 {
            write!(f, "[{}]", self.ofs)
        } else {
            write!(
                f,
                "[{}..{}]",
                self.ofs,
                (u32::from(self.ofs) + u32::from(self.n_bits)).saturating_sub(1)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        let show = |s: &str| Subfield::parse(s).map(|f| f.to_string()).map_err(|e| e.0);
        assert_eq!(show("reg3[4..7]").unwrap(), "NXM_NX_REG3[4..7]");
        assert_eq!(show("NXM_OF_IN_PORT[]").unwrap(), "NXM_OF_IN_PORT[]");
        assert_eq!(show("reg3").unwrap(), "NXM_NX_REG3[]");
        assert_eq!(show("dl_vlan[0]").unwrap(), "dl_vlan[0]");
        assert_eq!(
            show("reg3[7..4]").unwrap_err(),
            "reg3[7..4]: starting bit 7 is after ending bit 4"
        );
        assert_eq!(show("reg3[]x").unwrap_err(), "unexpected input following field syntax");
    }
}
