//! [`PacketBuf`]: what packet rewriting needs of a packet's memory, be it an mbuf or a `Vec`.

/// A packet that can be changed in place and grow and shrink at its front.
pub trait PacketBuf {
    /// The bytes at hand: all of the packet, or its first segment.
    fn data(&self) -> &[u8];

    /// See [`PacketBuf::data`].
    fn data_mut(&mut self) -> &mut [u8];

    /// Length of the whole packet.
    fn total_len(&self) -> usize {
        self.data().len()
    }

    /// Adds `n` bytes of any value in front.
    ///
    /// # Errors
    /// There is no room for them.
    fn push_front(&mut self, n: usize) -> Result<(), NoRoom>;

    /// Removes `n` bytes in front.
    ///
    /// # Errors
    /// There are fewer at hand.
    fn pull_front(&mut self, n: usize) -> Result<(), NoRoom>;
}

/// A packet has not the room, or not the bytes, that an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room in front of the packet")]
pub struct NoRoom;

impl PacketBuf for Vec<u8> {
    fn data(&self) -> &[u8] {
        self
    }

    fn data_mut(&mut self) -> &mut [u8] {
        self
    }

    fn push_front(&mut self, n: usize) -> Result<(), NoRoom> {
        self.splice(0..0, std::iter::repeat_n(0, n));
        Ok(())
    }

    fn pull_front(&mut self, n: usize) -> Result<(), NoRoom> {
        if n > self.len() {
            return Err(NoRoom);
        }
        self.drain(..n);
        Ok(())
    }
}
