//! The JSON tree. Objects keep their members sorted by name, so that the same value always prints
//! as the same text (checksums in the database log and monitor ids depend on that).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::parse::{self, ParseError};

/// The members of a JSON object, sorted bytewise by name. A repeated name keeps its last value.
pub type Object = BTreeMap<Arc<str>, Json>;

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without a fractional part that fits in 64 bits, however it was written.
    Int(i64),
    /// Any other number; never infinite or NaN when it came from the parser.
    Real(f64),
    /// A string; shared, because OVSDB values repeat the same strings in many places.
    Str(Arc<str>),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Object),
}

impl Json {
    /// Parses one array or object that fills the whole of `text` (white space around it aside).
    ///
    /// # Errors
    /// The place and the reason, in OVS's words.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, ParseError> {
        parse::document(text.as_ref())
    }

    /// Like [`Json::parse`], but any value may stand at the top level.
    ///
    /// # Errors
    /// The place and the reason, in OVS's words.
    pub fn parse_value(text: impl AsRef<[u8]>) -> Result<Self, ParseError> {
        parse::value(text.as_ref())
    }

    /// A string value.
    pub fn str(s: impl Into<Arc<str>>) -> Self {
        Self::Str(s.into())
    }

    /// An object from its members.
    pub fn object<K: Into<Arc<str>>, V: Into<Self>>(
        members: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::Object(members.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// An array from its elements.
    pub fn array<V: Into<Self>>(elements: impl IntoIterator<Item = V>) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }

    /// `null`?
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer, if this is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The number as a real, if this is a number of either kind.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Real(r) => Some(*r),
            _ => None,
        }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The shared string, if this is one.
    pub fn as_shared_str(&self) -> Option<&Arc<str>> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(a) => Some(a),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(o) => Some(o),
            _ => None,
        }
    }

    /// The member called `name`, if this is an object that has one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The element at `index`, if this is an array that long.
    pub fn at(&self, index: usize) -> Option<&Self> {
        self.as_array()?.get(index)
    }
}

impl From<bool> for Json {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Json {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<i32> for Json {
    fn from(i: i32) -> Self {
        Self::Int(i.into())
    }
}

impl From<u32> for Json {
    fn from(i: u32) -> Self {
        Self::Int(i.into())
    }
}

impl From<&str> for Json {
    fn from(s: &str) -> Self {
        Self::Str(s.into())
    }
}

impl From<String> for Json {
    fn from(s: String) -> Self {
        Self::Str(s.into())
    }
}

impl From<Arc<str>> for Json {
    fn from(s: Arc<str>) -> Self {
        Self::Str(s)
    }
}

impl From<Object> for Json {
    fn from(o: Object) -> Self {
        Self::Object(o)
    }
}

impl From<Vec<Self>> for Json {
    fn from(a: Vec<Self>) -> Self {
        Self::Array(a)
    }
}

impl<T: Into<Self>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// `array![a, b, c]`: a [`Json::Array`] of anything that converts to [`Json`].
#[macro_export]
macro_rules! array {
    ($($element:expr),* $(,)?) => {
        $crate::Json::Array(vec![$($crate::Json::from($element)),*])
    };
}

/// `object! { "name" => value, .. }`: a [`Json::Object`] of anything that converts to [`Json`].
#[macro_export]
macro_rules! object {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::Json::Object($crate::Object::from([
            $((std::sync::Arc::<str>::from($name), $crate::Json::from($value))),*
        ]))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_build_trees() {
        let json = object! { "b" => array![1, "x", true], "a" => Json::Null };
        assert_eq!(json.to_string(), r#"{"a":null,"b":[1,"x",true]}"#);
        assert_eq!(json.get("b").and_then(|b| b.at(1)).and_then(Json::as_str), Some("x"));
    }
}
