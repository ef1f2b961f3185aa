//! Reading and writing big-endian wire formats. Every length is checked before a byte is touched.

use crate::ofp_errors::OfpError;

/// A cursor over received bytes. Whatever runs past the end is answered with the error given at the
/// start, so that a decoder names its "bad length" once.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    short: OfpError,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; running short is `short`.
    #[must_use]
    pub fn new(bytes: &'a [u8], short: OfpError) -> Self {
        Self { rest: bytes, short }
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Is everything read?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is not read yet, without reading it.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], OfpError> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(self.short)?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], OfpError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(self.short)?;
        self.rest = tail;
        Ok(*head)
    }

    /// Skips `n` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn skip(&mut self, n: usize) -> Result<(), OfpError> {
        self.take(n).map(|_| ())
    }

    /// A reader of the next `n` bytes only.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn sub(&mut self, n: usize) -> Result<Self, OfpError> {
        Ok(Self { rest: self.take(n)?, short: self.short })
    }

    /// The next byte.
    ///
    /// # Errors
    /// None is left.
    pub fn u8(&mut self) -> Result<u8, OfpError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// The next two bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u16(&mut self) -> Result<u16, OfpError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// The next four bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u32(&mut self) -> Result<u32, OfpError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// The next eight bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u64(&mut self) -> Result<u64, OfpError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Reads `n` bytes that must be zero.
    ///
    /// # Errors
    /// Fewer are left, or `nonzero` when one is not zero.
    pub fn zeros(&mut self, n: usize, nonzero: OfpError) -> Result<(), OfpError> {
        if self.take(n)?.iter().all(|b| *b == 0) { Ok(()) } else { Err(nonzero) }
    }
}

/// Appends big-endian values to a message under construction.
pub trait Put {
    /// Appends one byte.
    fn put_u8(&mut self, v: u8);
    /// Appends two bytes.
    fn put_u16(&mut self, v: u16);
    /// Appends four bytes.
    fn put_u32(&mut self, v: u32);
    /// Appends eight bytes.
    fn put_u64(&mut self, v: u64);
    /// Appends `n` zero bytes.
    fn put_zeros(&mut self, n: usize);
    /// Appends zeros until the length since `start` is a multiple of `n`.
    fn pad_to(&mut self, start: usize, n: usize);
    /// Overwrites two bytes at `at`, which were put before.
    fn set_u16(&mut self, at: usize, v: u16);
}

impl Put for Vec<u8> {
    fn put_u8(&mut self, v: u8) {
        self.push(v);
    }
    fn put_u16(&mut self, v: u16) {
        self.extend_from_slice(&v.to_be_bytes());
    }
    fn put_u32(&mut self, v: u32) {
        self.extend_from_slice(&v.to_be_bytes());
    }
    fn put_u64(&mut self, v: u64) {
        self.extend_from_slice(&v.to_be_bytes());
    }
    fn put_zeros(&mut self, n: usize) {
        self.resize(self.len() + n, 0);
    }
    fn pad_to(&mut self, start: usize, n: usize) {
        let len = self.len() - start;
        self.put_zeros(len.next_multiple_of(n) - len);
    }
    fn set_u16(&mut self, at: usize, v: u16) {
        if let Some(cell) = self.get_mut(at..at + 2) {
            cell.copy_from_slice(&v.to_be_bytes());
        }
    }
}
