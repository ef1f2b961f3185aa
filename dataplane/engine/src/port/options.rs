//! [`Options`]: an interface's `options` column, with errors that name the key.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::port::PortError;

/// See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options<'a>(pub(crate) &'a BTreeMap<String, String>);

impl<'a> Options<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(String::as_str)
    }

    /// The value of a key that must be there.
    pub(crate) fn required(&self, key: &'static str) -> Result<&'a str, PortError> {
        self.get(key).filter(|value| !value.is_empty()).ok_or(PortError::MissingOption(key))
    }

    /// A number between two bounds; a missing key is `default`.
    pub(crate) fn number<T>(
        &self,
        key: &'static str,
        default: T,
        min: T,
        max: T,
    ) -> Result<T, PortError>
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        match text.parse() {
            Ok(n) if min <= n && n <= max => Ok(n),
            _ => Err(PortError::BadOption {
                key,
                value: text.to_owned(),
                wanted: format!("a number from {min} to {max}"),
            }),
        }
    }
}
