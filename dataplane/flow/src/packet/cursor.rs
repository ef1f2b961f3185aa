//! [`Cursor`]: reads headers off the front of a packet, each only if it is there whole.

/// A position in a packet whose first bytes are at hand and whose length is known.
pub(super) struct Cursor<'a> {
    /// Bytes at hand: a packet in segments has its headers in the first.
    data: &'a [u8],
    at: usize,
    /// One past the last byte that may be read: at first the packet's length, then what the
    /// network header claims.
    end: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of a packet of `len` bytes, of which `data` are at hand.
    pub(super) fn new(data: &'a [u8], len: usize) -> Self {
        Self { data, at: 0, end: len.max(data.len()) }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Bytes left to read, at hand or not.
    pub(super) fn left(&self) -> usize {
        self.end - self.at
    }

    /// One past the last byte that may be read.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Ignores all but the next `len` bytes.
    pub(super) fn trim(&mut self, len: usize) {
        self.end = self.end.min(self.at.saturating_add(len));
    }

    /// The next `N` bytes, if there are as many.
    pub(super) fn peek<const N: usize>(&self) -> Option<&'a [u8; N]> {
        if self.left() < N {
            return None;
        }
        self.data.get(self.at..)?.first_chunk()
    }

    /// Reads the next `N` bytes, if there are as many.
    pub(super) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let header = self.peek()?;
        self.at += N;
        Some(header)
    }

    /// Passes over `len` bytes, if there are as many.
    pub(super) fn skip(&mut self, len: usize) -> Option<()> {
        if self.left() < len {
            return None;
        }
        self.at += len;
        Some(())
    }
}
