//! The pcap format, as far as `net_pcap` reads it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::error::{RunError, Step as _};
use crate::packet::Packet;

/// What a capture begins with.
pub(crate) fn header() -> Vec<u8> {
    let words: [u32; 6] = [0xa1b2_c3d4, 2 | (4 << 16), 0, 0, 65_535, 1];
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// Appends a packet's record.
pub(crate) fn append(out: &mut Vec<u8>, packet: &Packet) {
    let length = packet.frame_length() as u32;
    for word in [0, 0, length, length] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    packet.append(out);
}

/// Writes a capture.
pub(crate) fn write(path: &Path, packets: impl Iterator<Item = Packet>) -> Result<(), RunError> {
    let what = || format!("writing the capture {}", path.display());
    let mut out = BufWriter::new(File::create(path).step(what())?);
    out.write_all(&header()).step(what())?;
    let mut record = Vec::new();
    for packet in packets {
        record.clear();
        append(&mut record, &packet);
        out.write_all(&record).step(what())?;
    }
    out.flush().step(what())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_how_long_it_is() {
        let mut out = header();
        append(&mut out, &Packet::default());
        assert_eq!(out.len(), 24 + 16 + 60);
        assert_eq!(&out[..4], &[0xd4, 0xc3, 0xb2, 0xa1]);
        assert_eq!((out[32], out[36]), (60, 60));
    }
}
