//! Errors as RFC 7047 section 3.1 sends them, with OVS's `details` and `syntax`.

use std::fmt;

use weir_jsonrpc::{Json, Object};

/// What OVSDB functions return.
pub type Result<T> = std::result::Result<T, OvsdbError>;

/// The `error` strings that OVS uses.
pub mod tag {
    /// The request does not have the form of an OVSDB request.
    pub const SYNTAX: &str = "syntax error";
    /// A column that the table does not have.
    pub const UNKNOWN_COLUMN: &str = "unknown column";
    /// A table that the schema does not have.
    pub const UNKNOWN_TABLE: &str = "unknown table";
    /// A condition's function does not exist.
    pub const UNKNOWN_FUNCTION: &str = "unknown function";
    /// A mutation's mutator does not exist.
    pub const UNKNOWN_MUTATOR: &str = "unknown mutator";
    /// A database that this server does not have.
    pub const UNKNOWN_DATABASE: &str = "unknown database";
    /// The database exists but cannot be used now.
    pub const NOT_AVAILABLE: &str = "database not available";
    /// `wait` would have to block where it may not.
    pub const NOT_SUPPORTED: &str = "not supported";
    /// The server or the database is read-only.
    pub const NOT_ALLOWED: &str = "not allowed";
    /// `assert` of a lock that the session does not own.
    pub const NOT_OWNER: &str = "not owner";
    /// Role-based access control said no.
    pub const PERMISSION: &str = "permission error";
    /// A value, a count or an index breaks the schema's constraints.
    pub const CONSTRAINT: &str = "constraint violation";
    /// A strong reference would dangle.
    pub const REFERENTIAL: &str = "referential integrity violation";
    /// A mutation divided by zero.
    pub const DOMAIN: &str = "domain error";
    /// The result of a mutation does not fit.
    pub const RANGE: &str = "range error";
    /// An insert's `uuid` is already taken.
    pub const DUPLICATE_UUID: &str = "duplicate uuid";
    /// Two inserts have the same `uuid-name`.
    pub const DUPLICATE_UUID_NAME: &str = "duplicate uuid-name";
    /// A `wait` did not come true in time.
    pub const TIMED_OUT: &str = "timed out";
    /// The `abort` operation.
    pub const ABORTED: &str = "aborted";
    /// A set or map has the same element twice.
    pub const OVSDB: &str = "ovsdb error";
    /// The operating system refused to read or write.
    pub const IO: &str = "I/O error";
    /// A broken promise inside the database.
    pub const INTERNAL: &str = "internal error";
    /// A record of the log does not fit what came before it.
    pub const CONSISTENCY: &str = "consistency violation";
    /// A schema file could not be read.
    pub const READ_SCHEMA: &str = "failed to read schema";
}

/// One OVSDB error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OvsdbError {
    /// The `error` member; one of [`tag`].
    pub tag: &'static str,
    /// The `details` member: what is wrong, for people.
    pub details: Option<Box<str>>,
    /// The `syntax` member: the piece of JSON that is wrong.
    pub syntax: Option<Box<str>>,
    /// The `io-error` member: the operating system's words.
    pub io_error: Option<Box<str>>,
}

impl OvsdbError {
    /// An error without a piece of JSON to point at.
    pub fn new(tag: &'static str, details: impl Into<Box<str>>) -> Self {
        Self { tag, details: Some(details.into()), syntax: None, io_error: None }
    }

    /// A syntax error in `json`.
    pub fn syntax(json: &Json, details: impl Into<Box<str>>) -> Self {
        Self::at(json, tag::SYNTAX, details)
    }

    /// An error with `tag` in `json`.
    pub fn at(json: &Json, tag: &'static str, details: impl Into<Box<str>>) -> Self {
        Self { syntax: Some(json.to_string().into()), ..Self::new(tag, details) }
    }

    /// A constraint violation.
    pub fn constraint(details: impl Into<Box<str>>) -> Self {
        Self::new(tag::CONSTRAINT, details)
    }

    /// The operating system's refusal `error`.
    pub fn io(error: &std::io::Error, details: impl Into<Box<str>>) -> Self {
        let text = match error.raw_os_error() {
            Some(number) => os_error_text(number),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => "End of file".to_owned(),
            None => error.to_string(),
        };
        Self { io_error: Some(text.into()), ..Self::new(tag::IO, details) }
    }

    /// Puts `context: ` before the details.
    #[must_use]
    pub fn wrap(mut self, context: impl fmt::Display) -> Self {
        self.details = Some(match self.details {
            Some(details) => format!("{context}: {details}").into(),
            None => context.to_string().into(),
        });
        self
    }

    /// The object that goes into a reply.
    pub fn to_json(&self) -> Json {
        let mut members = Object::new();
        members.insert("error".into(), self.tag.into());
        for (name, text) in
            [("details", &self.details), ("syntax", &self.syntax), ("io-error", &self.io_error)]
        {
            if let Some(text) = text {
                members.insert(name.into(), Json::str(&**text));
            }
        }
        Json::Object(members)
    }
}

/// The operating system's message for error `number`, as C's `strerror` words it.
fn os_error_text(number: i32) -> String {
    let text = std::io::Error::from_raw_os_error(number).to_string();
    // The standard library appends the number: "No such file or directory (os error 2)".
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl fmt::Display for OvsdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(syntax) = &self.syntax {
            write!(f, "syntax \"{syntax}\": ")?;
        }
        f.write_str(self.tag)?;
        if let Some(details) = &self.details {
            write!(f, ": {details}")?;
        }
        if let Some(io_error) = &self.io_error {
            write!(f, " ({io_error})")?;
        }
        Ok(())
    }
}

impl std::error::Error for OvsdbError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let error = OvsdbError::syntax(&Json::from(5), "expected [\"uuid\", <string>]");
        assert_eq!(
            error.to_json().to_string(),
            r#"{"details":"expected [\"uuid\", <string>]","error":"syntax error","syntax":"5"}"#
        );
        let error = error.wrap("parsing");
        assert_eq!(
            error.to_string(),
            r#"syntax "5": syntax error: parsing: expected ["uuid", <string>]"#
        );
        let missing = std::io::Error::from_raw_os_error(2);
        assert_eq!(
            OvsdbError::io(&missing, "open: x failed").to_string(),
            "I/O error: open: x failed (No such file or directory)"
        );
    }
}
