//! One integer, real, boolean, string or UUID.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::Json;

use crate::error::{OvsdbError, Result};
use crate::symbol::SymbolTable;
use crate::types::{AtomicType, BaseType};

/// An atomic value. Atoms of one column always have one type; across types the order is arbitrary
/// but fixed.
#[derive(Clone, Debug)]
pub enum Atom {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A real; never NaN, never negative zero.
    Real(f64),
    /// A truth value.
    Boolean(bool),
    /// Text.
    String(Arc<str>),
    /// A UUID.
    Uuid(Uuid),
}

impl Atom {
    /// The default value of `type_` (RFC 7047 section 5.2.1).
    pub fn default_of(type_: AtomicType) -> Self {
        match type_ {
            AtomicType::Integer => Self::Integer(0),
            AtomicType::Real => Self::Real(0.0),
            AtomicType::Boolean => Self::Boolean(false),
            AtomicType::String => Self::String(Arc::from("")),
            AtomicType::Uuid => Self::Uuid(Uuid::nil()),
        }
    }

    /// Its type.
    pub fn type_(&self) -> AtomicType {
        match self {
            Self::Integer(_) => AtomicType::Integer,
            Self::Real(_) => AtomicType::Real,
            Self::Boolean(_) => AtomicType::Boolean,
            Self::String(_) => AtomicType::String,
            Self::Uuid(_) => AtomicType::Uuid,
        }
    }

    /// The default value of its type?
    pub fn is_default(&self) -> bool {
        match self {
            Self::Integer(i) => *i == 0,
            Self::Real(r) => *r == 0.0,
            Self::Boolean(b) => !b,
            Self::String(s) => s.is_empty(),
            Self::Uuid(u) => u.is_nil(),
        }
    }

    /// The integer, if this is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(i) => Some(*i),
            _ => None,
        }
    }

    /// The real, if this is one.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(r) => Some(*r),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(b) => Some(*b),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// The UUID, if this is one.
    pub fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(u) => Some(*u),
            _ => None,
        }
    }

    /// Reads an `<atom>` of type `base` and checks its constraint. With `symbols`, `named-uuid` is
    /// understood.
    ///
    /// # Errors
    /// A syntax error or a constraint violation.
    pub fn from_json(
        base: &BaseType,
        json: &Json,
        symbols: Option<&mut SymbolTable>,
    ) -> Result<Self> {
        let atom = match (base.atomic, json) {
            (AtomicType::Integer, Json::Int(i)) => Self::Integer(*i),
            (AtomicType::Real, Json::Int(i)) => Self::Real(*i as f64),
            (AtomicType::Real, Json::Real(r)) => Self::Real(*r),
            (AtomicType::Boolean, Json::Bool(b)) => Self::Boolean(*b),
            (AtomicType::String, Json::Str(s)) => Self::String(s.clone()),
            (AtomicType::Uuid, _) => uuid_atom(base, json, symbols)?,
            (type_, _) => return Err(OvsdbError::syntax(json, format!("expected {type_}"))),
        };
        base.check(&atom)?;
        Ok(atom)
    }

    /// The `<atom>`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Integer(i) => Json::Int(*i),
            Self::Real(r) => Json::Real(*r),
            Self::Boolean(b) => Json::Bool(*b),
            Self::String(s) => Json::Str(s.clone()),
            Self::Uuid(u) => uuid_to_json(u),
        }
    }
}

/// `["uuid", "..."]`.
pub fn uuid_to_json(uuid: &Uuid) -> Json {
    weir_jsonrpc::array!["uuid", uuid.to_string()]
}

/// Reads a UUID in the one form that OVS accepts: 8-4-4-4-12 hexadecimal digits.
pub fn uuid_from_string(s: &str) -> Option<Uuid> {
    if s.len() == 36 { Uuid::try_parse(s).ok() } else { None }
}

/// The second element of `[name, second]` when `json` has that form.
pub(crate) fn unwrap<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    match json.as_array() {
        Some([Json::Str(first), second]) if &**first == name => Some(second),
        _ => None,
    }
}

fn uuid_atom(base: &BaseType, json: &Json, symbols: Option<&mut SymbolTable>) -> Result<Atom> {
    if let Some(text) = unwrap(json, "uuid").and_then(Json::as_str) {
        return uuid_from_string(text)
            .map(Atom::Uuid)
            .ok_or_else(|| OvsdbError::syntax(json, format!("\"{text}\" is not a valid UUID")));
    }
    if let (Some(name), Some(symbols)) =
        (unwrap(json, "named-uuid").and_then(Json::as_str), symbols)
    {
        return Ok(Atom::Uuid(symbols.refer(name, base)));
    }
    Err(OvsdbError::syntax(json, "expected [\"uuid\", <string>]"))
}

impl Ord for Atom {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.total_cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            _ => self.type_().cmp(&other.type_()),
        }
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Atom {}

impl Hash for Atom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Integer(i) => i.hash(state),
            Self::Real(r) => r.to_bits().hash(state),
            Self::Boolean(b) => b.hash(state),
            Self::String(s) => s.hash(state),
            Self::Uuid(u) => u.hash(state),
        }
    }
}

impl From<i64> for Atom {
    fn from(i: i64) -> Self {
        Self::Integer(i)
    }
}

impl From<f64> for Atom {
    fn from(r: f64) -> Self {
        // Zero has no sign.
        Self::Real(if r == 0.0 { 0.0 } else { r })
    }
}

impl From<bool> for Atom {
    fn from(b: bool) -> Self {
        Self::Boolean(b)
    }
}

impl From<&str> for Atom {
    fn from(s: &str) -> Self {
        Self::String(s.into())
    }
}

impl From<String> for Atom {
    fn from(s: String) -> Self {
        Self::String(s.into())
    }
}

impl From<Arc<str>> for Atom {
    fn from(s: Arc<str>) -> Self {
        Self::String(s)
    }
}

impl From<Uuid> for Atom {
    fn from(u: Uuid) -> Self {
        Self::Uuid(u)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_read_strictly() {
        let text = "23f02c48-A425-4373-9ad9-1b543578e4fb";
        assert_eq!(uuid_from_string(text).unwrap().to_string(), text.to_lowercase());
        for bad in ["", "23f02c48a42543739ad91b543578e4fb", "{23f02c48-a425-4373-9ad9-1b543578e4f}"]
        {
            assert_eq!(uuid_from_string(bad), None, "{bad}");
        }
    }
}
