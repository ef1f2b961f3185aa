//! [`Duration`]: seconds and nanoseconds, as statistics carry them.

use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

/// How long something exists. The nanoseconds come as the peer sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Duration {
    /// Whole seconds.
    pub sec: u32,
    /// Nanoseconds beyond them.
    pub nsec: u32,
}

impl Duration {
    /// A duration of milliseconds.
    #[must_use]
    pub fn from_millis(ms: u64) -> Self {
        let sec = u32::try_from(ms / 1000).unwrap_or(u32::MAX);
        Self { sec, nsec: (ms % 1000) as u32 * 1_000_000 }
    }

    pub(crate) fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        Ok(Self { sec: r.u32()?, nsec: r.u32()? })
    }

    pub(crate) fn put(self, out: &mut Vec<u8>) {
        out.put_u32(self.sec);
        out.put_u32(self.nsec);
    }
}

/// `1.500s`: whole seconds, then the fraction in milli-, micro- or nanoseconds.
impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nsec == 0 {
            return write!(f, "{}s", self.sec);
        }
        let fraction = format!("{:09}", self.nsec);
        let mut shown = fraction.as_str();
        while let Some(shorter) = shown.strip_suffix("000") {
            shown = shorter;
        }
        write!(f, "{}.{shown}s", self.sec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        assert_eq!(Duration { sec: 3, nsec: 0 }.to_string(), "3s");
        assert_eq!(Duration::from_millis(1250).to_string(), "1.250s");
        assert_eq!(Duration { sec: 0, nsec: 1 }.to_string(), "0.000000001s");
    }
}
