//! Captures of UDP frames of 60 bytes (64 with the FCS), from a seed.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::error::{RunError, Step as _};
use crate::row::Row;

const FRAME: usize = 60;
/// `net_pcap` replays a short capture from a ring; fewer packets than this would starve the burst.
const MIN_PACKETS: u32 = 1_024;

/// splitmix64: repeatable on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header.chunks(2).map(|c| u32::from(u16::from_be_bytes([c[0], c[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn frame(src: u32, dst: u32, ports: u32) -> [u8; FRAME] {
    let mut f = [0u8; FRAME];
    f[..14].copy_from_slice(&[
        0x02, 0, 0, 0, 0, 2, // destination
        0x02, 0, 0, 0, 0, 1, // source
        0x08, 0x00,
    ]);
    let ip_len = (FRAME - 14) as u16;
    f[14] = 0x45;
    f[16..18].copy_from_slice(&ip_len.to_be_bytes());
    f[22] = 64;
    f[23] = 17;
    f[26..30].copy_from_slice(&src.to_be_bytes());
    f[30..34].copy_from_slice(&dst.to_be_bytes());
    let sum = checksum(&f[14..34]);
    f[24..26].copy_from_slice(&sum.to_be_bytes());
    f[34..38].copy_from_slice(&ports.to_be_bytes());
    f[38..40].copy_from_slice(&(ip_len - 20).to_be_bytes());
    f
}

/// Writes the row's traffic as a pcap file.
pub(crate) fn write_capture(path: &Path, row: &Row) -> Result<(), RunError> {
    let what = || format!("writing {}", path.display());
    let mut out = BufWriter::new(File::create(path).step(what())?);
    let header: [u32; 6] = [0xa1b2_c3d4, 2 | (4 << 16), 0, 0, 65_535, 1];
    for word in header {
        out.write_all(&word.to_le_bytes()).step(what())?;
    }
    let mut random = Random(0x5765_6972);
    let tuples: Vec<(u32, u32, u32)> = (0..row.flows)
        .map(|i| {
            let r = random.next();
            (0x0a00_0000 | i, 0x0b00_0000 | (r as u32 & 0xff_ffff), (r >> 32) as u32)
        })
        .collect();
    for i in 0..row.flows.max(MIN_PACKETS) {
        let (src, dst, ports) = tuples[(i % row.flows) as usize];
        for word in [0, 0, FRAME as u32, FRAME as u32] {
            out.write_all(&word.to_le_bytes()).step(what())?;
        }
        out.write_all(&frame(src, dst, ports)).step(what())?;
    }
    out.flush().step(what())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_checksum_verifies() {
        let f = frame(0x0a000001, 0x0b000001, 0x1234_5678);
        assert_eq!(checksum(&f[14..34]), 0);
    }
}
