//! Texts of values: numbers, addresses, flags, and the value of any match field.

pub mod address;
pub mod field;
pub mod flags;
pub mod key_value;
pub mod number;

pub use field::{format_field, parse_field, parse_field_exact};
pub use number::parse_u32;

/// Why a text was not understood, in the words of Open vSwitch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(pub String);

impl From<String> for TextError {
    fn from(s: String) -> Self {
        Self(s)
    }
}

impl From<&str> for TextError {
    fn from(s: &str) -> Self {
        Self(s.to_owned())
    }
}

/// Ends a function with a [`TextError`] of the formatted text.
macro_rules! text_error {
    ($($arg:tt)*) => {
        return Err($crate::value_text::TextError(format!($($arg)*)))
    };
}
pub(crate) use text_error;
