//! The POSIX `cksum` of a text: CRC-32 with polynomial 0x04c11db7, most significant bit first, the
//! length appended. A schema's `cksum` member is this number and the length in bytes, computed over
//! the file with its lines that contain `"cksum": "` left out.

/// The POSIX checksum of `bytes` (IEEE Std 1003.1, utility `cksum`).
pub fn cksum(bytes: &[u8]) -> u32 {
    let mut crc = 0;
    for &byte in bytes {
        crc = step(crc, byte);
    }
    let mut length = bytes.len();
    while length > 0 {
        crc = step(crc, (length & 0xff) as u8);
        length >>= 8;
    }
    !crc
}

fn step(mut crc: u32, byte: u8) -> u32 {
    crc ^= u32::from(byte) << 24;
    for _ in 0..8 {
        crc = if crc & 0x8000_0000 != 0 { (crc << 1) ^ 0x04c1_1db7 } else { crc << 1 };
    }
    crc
}

/// The value that belongs into the `cksum` member of the schema file `text`.
pub fn schema_cksum(text: &str) -> String {
    let bare: String =
        text.split_inclusive('\n').filter(|line| !line.contains("\"cksum\": \"")).collect();
    format!("{} {}", cksum(bare.as_bytes()), bare.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_utility() {
        // printf 123456789 | cksum
        assert_eq!(cksum(b"123456789"), 930_766_865);
        assert_eq!(cksum(b""), 4_294_967_295);
    }
}
