//! What a column may hold: RFC 7047 section 3.2 `<type>`, `<base-type>` and `<atomic-type>`.

use std::fmt;
use std::sync::Arc;

use weir_jsonrpc::{Json, Object};

use crate::atom::Atom;
use crate::datum::Datum;
use crate::error::{OvsdbError, Result};
use crate::members::{Kinds, Members};

/// The kinds of atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AtomicType {
    /// A 64-bit signed integer.
    Integer,
    /// A double, neither infinite nor NaN.
    Real,
    /// `true` or `false`.
    Boolean,
    /// Unicode text without NUL.
    String,
    /// 128 bits.
    Uuid,
}

impl AtomicType {
    /// Its name in schemas.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Uuid => "uuid",
        }
    }

    /// The type called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Integer, Self::Real, Self::Boolean, Self::String, Self::Uuid]
            .into_iter()
            .find(|t| t.name() == name)
    }

    fn from_json(json: &Json) -> Result<Self> {
        let Some(name) = json.as_str() else {
            return Err(OvsdbError::syntax(json, "atomic-type expected"));
        };
        Self::from_name(name)
            .ok_or_else(|| OvsdbError::syntax(json, format!("\"{name}\" is not an atomic-type")))
    }
}

impl fmt::Display for AtomicType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a reference holds the row it points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefType {
    /// The row cannot go away while the reference exists.
    Strong,
    /// The reference goes away with the row.
    Weak,
}

/// What restricts the atoms of a base type.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// Nothing.
    None,
    /// Only these.
    Enum(Datum),
    /// Integers from `min` to `max`.
    Integer {
        /// The smallest; `i64::MIN` when not given.
        min: i64,
        /// The largest; `i64::MAX` when not given.
        max: i64,
    },
    /// Reals from `min` to `max`.
    Real {
        /// The smallest; `-f64::MAX` when not given.
        min: f64,
        /// The largest; `f64::MAX` when not given.
        max: f64,
    },
    /// Strings of `min` to `max` characters.
    Length {
        /// The shortest; 0 when not given.
        min: u32,
        /// The longest; `u32::MAX` when not given.
        max: u32,
    },
    /// UUIDs of rows of a table.
    Reference {
        /// The table's name.
        table: Arc<str>,
        /// Strong or weak.
        kind: RefType,
    },
}

/// An atomic type with its constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseType {
    /// The kind of atom.
    pub atomic: AtomicType,
    /// What restricts it.
    pub constraint: Constraint,
}

/// Stands for `"unlimited"` in [`ColumnType::max`].
pub const UNLIMITED: u32 = u32::MAX;

impl BaseType {
    /// `atomic` without constraint.
    pub const fn new(atomic: AtomicType) -> Self {
        Self { atomic, constraint: Constraint::None }
    }

    /// Reads a `<base-type>`.
    ///
    /// # Errors
    /// A syntax error.
    pub fn from_json(json: &Json) -> Result<Self> {
        if json.as_str().is_some() {
            return Ok(Self::new(AtomicType::from_json(json)?));
        }
        let mut members = Members::new(json, "ovsdb type");
        let Some(type_) = members.required("type", Kinds::STRING) else {
            return Err(members
                .finish()
                .err()
                .unwrap_or_else(|| OvsdbError::syntax(json, "no type")));
        };
        let atomic = AtomicType::from_json(type_)?;
        let constraint = if let Some(values) = members.optional("enum", Kinds::ANY) {
            Constraint::Enum(Datum::from_json(&ColumnType::enum_of(atomic), values, None)?)
        } else {
            match atomic {
                AtomicType::Integer => integer_range(json, &mut members)?,
                AtomicType::Real => real_range(json, &mut members)?,
                AtomicType::String => length_range(json, &mut members)?,
                AtomicType::Uuid => reference(&mut members)?,
                AtomicType::Boolean => Constraint::None,
            }
        };
        members.finish()?;
        Ok(Self { atomic, constraint })
    }

    /// The `<base-type>`: just the name when there is no constraint.
    pub fn to_json(&self) -> Json {
        let mut members = Object::new();
        let mut put = |name: &str, json: Json| {
            members.insert(name.into(), json);
        };
        match &self.constraint {
            Constraint::None => return self.atomic.name().into(),
            Constraint::Enum(values) => {
                put("enum", values.to_json(&ColumnType::enum_of(self.atomic)));
            }
            Constraint::Integer { min, max } => {
                if *min != i64::MIN {
                    put("minInteger", Json::Int(*min));
                }
                if *max != i64::MAX {
                    put("maxInteger", Json::Int(*max));
                }
            }
            Constraint::Real { min, max } => {
                if *min != -f64::MAX {
                    put("minReal", Json::Real(*min));
                }
                if *max != f64::MAX {
                    put("maxReal", Json::Real(*max));
                }
            }
            Constraint::Length { min, max } => {
                if *min != 0 {
                    put("minLength", (*min).into());
                }
                if *max != u32::MAX {
                    put("maxLength", (*max).into());
                }
            }
            Constraint::Reference { table, kind } => {
                put("refTable", Json::Str(table.clone()));
                if *kind == RefType::Weak {
                    put("refType", "weak".into());
                }
            }
        }
        put("type", self.atomic.name().into());
        Json::Object(members)
    }

    /// The table that the UUIDs refer to and how, if this is a reference.
    pub fn reference(&self) -> Option<(&Arc<str>, RefType)> {
        match &self.constraint {
            Constraint::Reference { table, kind } => Some((table, *kind)),
            _ => None,
        }
    }

    /// How it refers, if this is a reference.
    pub fn ref_type(&self) -> Option<RefType> {
        self.reference().map(|(_, kind)| kind)
    }

    /// The values allowed, if they are listed.
    pub fn enumeration(&self) -> Option<&Datum> {
        match &self.constraint {
            Constraint::Enum(values) => Some(values),
            _ => None,
        }
    }

    /// Whether `atom` meets the constraint. References are checked when a transaction commits.
    ///
    /// # Errors
    /// A constraint violation.
    pub fn check(&self, atom: &Atom) -> Result<()> {
        let violation = |text: String| Err(OvsdbError::constraint(text));
        match (&self.constraint, atom) {
            (Constraint::Enum(values), _) if !values.contains_key(atom) => violation(format!(
                "{} is not one of the allowed values ({})",
                crate::text::atom_to_string(atom),
                crate::text::datum_to_string(values, &ColumnType::enum_of(self.atomic)),
            )),
            (Constraint::Integer { min, max }, Atom::Integer(i)) if i < min || i > max => {
                violation(outside(
                    i,
                    (*min != i64::MIN).then_some(min),
                    (*max != i64::MAX).then_some(max),
                ))
            }
            (Constraint::Real { min, max }, Atom::Real(r)) if !(r >= min && r <= max) => {
                let print = weir_jsonrpc::number::format_real;
                violation(outside(
                    print(*r),
                    (*min != -f64::MAX).then(|| print(*min)),
                    (*max != f64::MAX).then(|| print(*max)),
                ))
            }
            // An unconstrained real is still a finite number.
            (Constraint::None, Atom::Real(r)) if !r.is_finite() => {
                let print = weir_jsonrpc::number::format_real;
                violation(outside(print(*r), None, Some(print(f64::MAX))))
            }
            (Constraint::Length { min, max }, Atom::String(s)) => {
                let length = s.chars().count();
                if length < *min as usize {
                    violation(format!(
                        "\"{s}\" length {length} is less than minimum allowed length {min}"
                    ))
                } else if length > *max as usize {
                    violation(format!(
                        "\"{s}\" length {length} is greater than maximum allowed length {max}"
                    ))
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }
}

fn outside<T: fmt::Display>(value: T, min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => {
            format!("{value} is not in the valid range {min} to {max} (inclusive)")
        }
        (Some(min), None) => format!("{value} is less than minimum allowed value {min}"),
        (None, Some(max)) => format!("{value} is greater than maximum allowed value {max}"),
        (None, None) => format!("{value} is not allowed"),
    }
}

fn integer_range(json: &Json, members: &mut Members<'_>) -> Result<Constraint> {
    let min = members.optional("minInteger", Kinds::INTEGER).and_then(Json::as_int);
    let max = members.optional("maxInteger", Kinds::INTEGER).and_then(Json::as_int);
    let (min, max) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
    match (min, max) {
        _ if min > max => Err(OvsdbError::syntax(json, "minInteger exceeds maxInteger")),
        (i64::MIN, i64::MAX) => Ok(Constraint::None),
        _ => Ok(Constraint::Integer { min, max }),
    }
}

fn real_range(json: &Json, members: &mut Members<'_>) -> Result<Constraint> {
    let min = members.optional("minReal", Kinds::NUMBER).and_then(Json::as_real);
    let max = members.optional("maxReal", Kinds::NUMBER).and_then(Json::as_real);
    let (min, max) = (min.unwrap_or(-f64::MAX), max.unwrap_or(f64::MAX));
    if min > max {
        Err(OvsdbError::syntax(json, "minReal exceeds maxReal"))
    } else if min == -f64::MAX && max == f64::MAX {
        Ok(Constraint::None)
    } else {
        Ok(Constraint::Real { min, max })
    }
}

fn length_range(json: &Json, members: &mut Members<'_>) -> Result<Constraint> {
    let mut length = |name: &str, default: u32| match members.optional(name, Kinds::INTEGER) {
        None => Ok(default),
        Some(json) => json.as_int().and_then(|i| u32::try_from(i).ok()).ok_or_else(|| {
            OvsdbError::syntax(json, format!("{name} out of valid range 0 to {}", u32::MAX))
        }),
    };
    let (min, max) = (length("minLength", 0)?, length("maxLength", u32::MAX)?);
    match (min, max) {
        _ if min > max => Err(OvsdbError::syntax(json, "minLength exceeds maxLength")),
        (0, u32::MAX) => Ok(Constraint::None),
        _ => Ok(Constraint::Length { min, max }),
    }
}

fn reference(members: &mut Members<'_>) -> Result<Constraint> {
    let Some(table) = members.optional("refTable", Kinds::ID).and_then(Json::as_shared_str) else {
        return Ok(Constraint::None);
    };
    let kind = match members.optional("refType", Kinds::ID) {
        None => RefType::Strong,
        Some(json) => match json.as_str() {
            Some("strong") => RefType::Strong,
            Some("weak") => RefType::Weak,
            other => {
                let text = format!(
                    "refType must be \"strong\" or \"weak\" (not \"{}\")",
                    other.unwrap_or_default()
                );
                return Err(OvsdbError::syntax(json, text));
            }
        },
    };
    Ok(Constraint::Reference { table: table.clone(), kind })
}

/// The type of a column: between `min` and `max` keys, each with a value if it is a map.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnType {
    /// The elements of the set, or the keys of the map.
    pub key: BaseType,
    /// The values, if it is a map.
    pub value: Option<BaseType>,
    /// The least number of elements: 0 or 1.
    pub min: u32,
    /// The greatest number of elements; [`UNLIMITED`] for no limit.
    pub max: u32,
}

impl ColumnType {
    /// Exactly one unconstrained atom.
    pub const fn scalar(atomic: AtomicType) -> Self {
        Self { key: BaseType::new(atomic), value: None, min: 1, max: 1 }
    }

    /// The type of the list of values in `enum`.
    pub(crate) fn enum_of(atomic: AtomicType) -> Self {
        Self { max: UNLIMITED, ..Self::scalar(atomic) }
    }

    /// Reads a `<type>`.
    ///
    /// # Errors
    /// A syntax error.
    pub fn from_json(json: &Json) -> Result<Self> {
        if json.as_str().is_some() {
            return Ok(Self { key: BaseType::from_json(json)?, value: None, min: 1, max: 1 });
        }
        if json.as_object().is_none() {
            return Err(OvsdbError::syntax(json, "ovsdb type expected"));
        }
        let mut members = Members::new(json, "ovsdb type");
        let key = members.required("key", Kinds::STRING.or(Kinds::OBJECT));
        let value = members.optional("value", Kinds::STRING.or(Kinds::OBJECT));
        let min = members.optional("min", Kinds::INTEGER);
        let max = members.optional("max", Kinds::INTEGER.or(Kinds::STRING));
        members.finish()?;
        let type_ = Self {
            key: BaseType::from_json(key.unwrap_or(json))?,
            value: value.map(BaseType::from_json).transpose()?,
            min: min.map_or(Ok(1), count)?,
            max: match max {
                None => 1,
                Some(max) if max.as_str() == Some("unlimited") => UNLIMITED,
                Some(max) => count(max)?,
            },
        };
        if type_.min > 1 || type_.min > type_.max {
            return Err(OvsdbError::syntax(json, "ovsdb type fails constraint checks"));
        }
        Ok(type_)
    }

    /// The `<type>` in its shortest form.
    pub fn to_json(&self) -> Json {
        if self.is_scalar() && self.key.constraint == Constraint::None {
            return self.key.to_json();
        }
        let mut members = Object::new();
        members.insert("key".into(), self.key.to_json());
        if let Some(value) = &self.value {
            members.insert("value".into(), value.to_json());
        }
        if self.min != 1 {
            members.insert("min".into(), self.min.into());
        }
        match self.max {
            1 => {}
            UNLIMITED => {
                members.insert("max".into(), "unlimited".into());
            }
            max => {
                members.insert("max".into(), max.into());
            }
        }
        Json::Object(members)
    }

    /// Exactly one atom.
    pub fn is_scalar(&self) -> bool {
        self.value.is_none() && self.min == 1 && self.max == 1
    }

    /// One atom or none.
    pub fn is_optional_scalar(&self) -> bool {
        self.value.is_none() && self.min == 0 && self.max == 1
    }

    /// May hold more than one element.
    pub fn is_composite(&self) -> bool {
        self.max > 1
    }

    /// A set whose size may vary.
    pub fn is_set(&self) -> bool {
        self.value.is_none() && (self.min != 1 || self.max != 1)
    }

    /// A map.
    pub fn is_map(&self) -> bool {
        self.value.is_some()
    }

    /// The base types: the key's and, in a map, the value's.
    pub fn bases(&self) -> impl Iterator<Item = &BaseType> {
        std::iter::once(&self.key).chain(&self.value)
    }

    /// Some of its atoms are weak references.
    pub fn has_weak_refs(&self) -> bool {
        self.bases().any(|base| base.ref_type() == Some(RefType::Weak))
    }

    /// Some of its atoms are strong references.
    pub fn has_strong_refs(&self) -> bool {
        self.bases().any(|base| base.ref_type() == Some(RefType::Strong))
    }
}

/// In the words that error messages use, e.g. `set of up to 3 integers`.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.atomic;
        if self.is_scalar() {
            return write!(f, "{key}");
        }
        f.write_str(if self.is_map() { "map" } else { "set" })?;
        match (self.min, self.max) {
            (0, UNLIMITED) => f.write_str(" of")?,
            (min, UNLIMITED) => write!(f, " of {min} or more")?,
            (0, max) => write!(f, " of up to {max}")?,
            (min, max) => write!(f, " of {min} to {max}")?,
        }
        match &self.value {
            None => write!(f, " {key}s"),
            Some(value) => write!(f, " ({key}, {}) pairs", value.atomic),
        }
    }
}

fn count(json: &Json) -> Result<u32> {
    json.as_int()
        .and_then(|i| u32::try_from(i).ok())
        .filter(|&n| n != UNLIMITED)
        .ok_or_else(|| OvsdbError::syntax(json, "bad min or max value"))
}

#[cfg(test)]
mod tests;
