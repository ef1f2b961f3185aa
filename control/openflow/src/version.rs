//! [`OfVersion`]: the OpenFlow versions, by wire number and by their names in options.

use std::fmt;

/// An OpenFlow version; ordered, so that `v >= OfVersion::V13` reads as in the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "V13 is OpenFlow 1.3")]
pub enum OfVersion {
    V10 = 1,
    V11 = 2,
    V12 = 3,
    V13 = 4,
    V14 = 5,
    V15 = 6,
}

impl OfVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 6] = [Self::V10, Self::V11, Self::V12, Self::V13, Self::V14, Self::V15];

    /// The number in a message's header: 1 for OpenFlow 1.0, 6 for 1.5.
    #[must_use]
    pub const fn wire(self) -> u8 {
        self as u8
    }

    /// The version with this wire number.
    #[must_use]
    pub fn from_wire(wire: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.wire() == wire)
    }

    /// Its name in `--protocols` and in the database: `OpenFlow13`.
    #[must_use]
    pub const fn option_name(self) -> &'static str {
        ["OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"]
            [self as usize - 1]
    }

    /// Looks a version up by its option name, in any case. `OpenFlow1.3` is also understood.
    #[must_use]
    pub fn from_option_name(name: &str) -> Option<Self> {
        let plain = name.replace('.', "");
        Self::ALL.into_iter().find(|v| v.option_name().eq_ignore_ascii_case(&plain))
    }
}

/// `OpenFlow 1.3`
impl fmt::Display for OfVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenFlow 1.{}", self.wire() - 1)
    }
}
