//! Reads the members of a JSON object one by one, remembers the first thing that is wrong, and
//! objects to members that nobody asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_jsonrpc::{Json, Object};

use crate::error::{OvsdbError, Result};

/// The kinds of JSON that a member may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// `true` or `false`.
    pub const BOOLEAN: Self = Self(1 << 0);
    /// An object.
    pub const OBJECT: Self = Self(1 << 1);
    /// An array.
    pub const ARRAY: Self = Self(1 << 2);
    /// An integral number.
    pub const INTEGER: Self = Self(1 << 3);
    /// Any number.
    pub const NUMBER: Self = Self(1 << 3 | 1 << 4);
    /// A string.
    pub const STRING: Self = Self(1 << 5);
    /// A string that is an identifier.
    pub const ID: Self = Self(1 << 6);
    /// `null`.
    pub const NULL: Self = Self(1 << 7);
    /// Anything at all.
    pub const ANY: Self = Self(0xff);

    /// Either of the two.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn admits(self, json: &Json) -> bool {
        let kind = match json {
            Json::Null => Self::NULL,
            Json::Bool(_) => Self::BOOLEAN,
            Json::Object(_) => Self::OBJECT,
            Json::Array(_) => Self::ARRAY,
            Json::Int(_) => Self::INTEGER,
            Json::Real(_) => Self(1 << 4),
            Json::Str(s) if is_id(s) => Self::STRING.or(Self::ID),
            Json::Str(_) => Self::STRING,
        };
        self.0 & kind.0 != 0
    }
}

/// RFC 7047's `<id>`: a letter or `_`, then letters, digits and `_`.
pub fn is_id(s: &str) -> bool {
    s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A reader of one object.
#[derive(Debug)]
pub struct Members<'a> {
    name: String,
    json: Option<(&'a Json, &'a Object)>,
    used: BTreeSet<Arc<str>>,
    error: Option<OvsdbError>,
}

impl<'a> Members<'a> {
    /// Starts to read `json`, which the complaints call `name`.
    pub fn new(json: &'a Json, name: impl Into<String>) -> Self {
        let mut members = Self {
            name: name.into(),
            json: json.as_object().map(|object| (json, object)),
            used: BTreeSet::new(),
            error: None,
        };
        if members.json.is_none() {
            members.raise("Object expected.");
        }
        members
    }

    /// The member `name`, which must be there and be one of `kinds`.
    pub fn required(&mut self, name: &str, kinds: Kinds) -> Option<&'a Json> {
        let found = self.find(name, kinds);
        if found.is_none() && self.error.is_none() {
            self.raise(&format!("Required '{name}' member is missing."));
        }
        found
    }

    /// The member `name`, which must be one of `kinds` if it is there.
    pub fn optional(&mut self, name: &str, kinds: Kinds) -> Option<&'a Json> {
        self.find(name, kinds)
    }

    fn find(&mut self, name: &str, kinds: Kinds) -> Option<&'a Json> {
        let (_, object) = self.json?;
        let (key, value) = object.get_key_value(name)?;
        if kinds.admits(value) {
            self.used.insert(key.clone());
            Some(value)
        } else {
            self.raise(&format!("Type mismatch for member '{name}'."));
            None
        }
    }

    /// The object that is being read.
    pub fn json(&self) -> Option<&'a Json> {
        self.json.map(|(json, _)| json)
    }

    /// Notes a complaint, unless there already is one.
    pub fn raise(&mut self, complaint: &str) {
        if self.error.is_none() {
            let mut error = OvsdbError::new(
                crate::error::tag::SYNTAX,
                format!("Parsing {} failed: {complaint}", self.name),
            );
            error.syntax = self.json.map(|(json, _)| json.to_string().into());
            self.error = Some(error);
        }
    }

    /// The first complaint so far.
    ///
    /// # Errors
    /// That complaint.
    pub fn check(&self) -> Result<()> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// Ends the reading; members that nobody asked for are an error.
    ///
    /// # Errors
    /// The first complaint.
    pub fn finish(mut self) -> Result<()> {
        if let (None, Some((_, object))) = (&self.error, self.json) {
            let mut unused = object.keys().filter(|name| !self.used.contains(*name));
            if let Some(name) = unused.next() {
                let text = match unused.count() {
                    0 => format!("Member '{name}' is present but not allowed here."),
                    n => format!(
                        "Member '{name}' and {n} other member{} are present but not allowed here.",
                        if n > 1 { "s" } else { "" }
                    ),
                };
                self.raise(&text);
            }
        }
        self.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        let json = Json::parse(text).unwrap();
        let mut members = Members::new(&json, "thing");
        members.required("id", Kinds::ID);
        members.optional("n", Kinds::NUMBER);
        members.finish().map_or_else(|e| e.details.unwrap().to_string(), |()| "fine".into())
    }

    #[test]
    fn complaints() {
        for (text, expected) in [
            (r#"{"id":"a_1","n":1.5}"#, "fine"),
            (r#"{"id":"a_1"}"#, "fine"),
            (r#"[]"#, "Parsing thing failed: Object expected."),
            (r#"{"n":1}"#, "Parsing thing failed: Required 'id' member is missing."),
            (r#"{"id":"1a"}"#, "Parsing thing failed: Type mismatch for member 'id'."),
            (r#"{"id":"a","n":"x"}"#, "Parsing thing failed: Type mismatch for member 'n'."),
            (
                r#"{"id":"a","x":1}"#,
                "Parsing thing failed: Member 'x' is present but not allowed here.",
            ),
            (
                r#"{"id":"a","x":1,"y":2}"#,
                "Parsing thing failed: Member 'x' and 1 other member are present but not allowed here.",
            ),
        ] {
            assert_eq!(complaint(text), expected);
        }
    }
}
