//! Finds where one top-level value ends in a stream of bytes that arrives in pieces. JSON-RPC has
//! no framing of its own: a message ends where its outermost brace closes.
//!
//! Looks only at brackets and quotes; whether the piece between them is JSON is the parser's
//! business. Each byte is looked at once, however small the pieces are.

use crate::parse::{self, ParseError};
use crate::value::Json;

/// The default limit on the size of one message, in bytes.
pub const MAX_FRAME: usize = 512 << 20;

/// Why a stream cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A message grew past the limit without ending.
    #[error("message exceeds {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bytes are not JSON.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// Collects bytes and hands out whole values.
#[derive(Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// Where the value that is being collected starts; what is before it was handed out.
    start: usize,
    /// The next byte to look at.
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    started: bool,
    limit: usize,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new(MAX_FRAME)
    }
}

impl FrameReader {
    /// A reader that refuses messages of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            at: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            started: false,
            limit,
        }
    }

    /// Takes in what a socket delivered.
    pub fn feed(&mut self, bytes: &[u8]) {
        // Moves the unread rest forward only when it is the smaller part.
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.at -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes taken in that no value has consumed yet.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole value, or `None` until more bytes are fed.
    ///
    /// # Errors
    /// The stream is of no use any more; the caller closes the connection.
    pub fn next_value(&mut self) -> Result<Option<Json>, FrameError> {
        match self.next_end()? {
            Some(end) => {
                let parsed = parse::document(self.buffer.get(self.start..end).unwrap_or_default());
                self.start = end;
                Ok(Some(parsed?))
            }
            None => Ok(None),
        }
    }

    /// Scans on; the end of the first whole value in the buffer once it is there.
    fn next_end(&mut self) -> Result<Option<usize>, FrameError> {
        while let Some(&c) = self.buffer.get(self.at) {
            self.at += 1;
            if self.in_string {
                match c {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match c {
                b'[' | b'{' => {
                    self.started = true;
                    self.depth += 1;
                    if self.depth > parse::MAX_DEPTH {
                        return self.reject();
                    }
                }
                b']' | b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.started = false;
                        return Ok(Some(self.at));
                    }
                }
                b'"' if self.started => self.in_string = true,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if self.started => {}
                // Nothing but white space may stand between values.
                _ => return self.reject(),
            }
        }
        if !self.started {
            self.buffer.clear();
            self.start = 0;
            self.at = 0;
        } else if self.buffered() > self.limit {
            return Err(FrameError::TooLong { limit: self.limit });
        }
        Ok(None)
    }

    /// Lets the parser say what is wrong with the bytes so far.
    fn reject(&mut self) -> Result<Option<usize>, FrameError> {
        match parse::document(self.buffer.get(self.start..self.at).unwrap_or_default()) {
            Err(error) => Err(error.into()),
            Ok(_) => Err(FrameError::TooLong { limit: self.limit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_of_any_size() {
        let stream = b" {\"a\":\"}\\\"{\"}\n[1,[2]]{}";
        for size in 1..=stream.len() {
            let mut reader = FrameReader::default();
            let mut got = Vec::new();
            for piece in stream.chunks(size) {
                reader.feed(piece);
                while let Some(json) = reader.next_value().unwrap() {
                    got.push(json.to_string());
                }
            }
            assert_eq!(got, [r#"{"a":"}\"{"}"#, "[1,[2]]", "{}"]);
            assert_eq!(reader.buffered(), 0);
        }
    }

    #[test]
    fn garbage_and_length_end_the_stream() {
        let mut reader = FrameReader::default();
        reader.feed(b" x");
        assert_eq!(
            reader.next_value().unwrap_err().to_string(),
            "line 0, column 2, byte 2: invalid keyword 'x'"
        );
        let mut reader = FrameReader::new(10);
        reader.feed(b"[\"0123456789");
        assert_eq!(reader.next_value(), Err(FrameError::TooLong { limit: 10 }));
        let mut reader = FrameReader::default();
        reader.feed(&b"[".repeat(2000));
        assert!(reader.next_value().is_err());
        let mut reader = FrameReader::default();
        reader.feed(b"[1}");
        assert!(reader.next_value().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = FrameReader::new(100);
            reader.feed(&bytes);
            while let Ok(Some(_)) = reader.next_value() {}
        }
    }
}
