//! [`hex_dump`]: bytes as offset, hexadecimal numbers and characters, 16 a line.

use std::fmt::Write;

/// The dump of `bytes`, offsets from 0, with characters.
#[must_use]
pub fn hex_dump(bytes: &[u8]) -> String {
    let mut s = String::new();
    for (i, line) in bytes.chunks(16).enumerate() {
        let _ = write!(s, "{:08x} ", i * 16);
        for j in 0..16 {
            match line.get(j) {
                Some(b) => {
                    let sep = if j == 8 { '-' } else { ' ' };
                    let _ = write!(s, "{sep}{b:02x}");
                }
                // The dash stands after the eighth byte, even when it is the last.
                None if j == 8 && line.len() == 8 => s.push_str("-  "),
                None => s.push_str("   "),
            }
        }
        s.push_str(" |");
        for j in 0..16 {
            s.push(match line.get(j) {
                Some(b) if b.is_ascii_graphic() || *b == b' ' => char::from(*b),
                Some(_) => '.',
                None => ' ',
            });
        }
        s.push_str("|\n");
    }
    s
}

/// [`hex_dump`] without the characters.
pub(crate) fn hex_numbers(bytes: &[u8]) -> String {
    let dump = hex_dump(bytes);
    let lines = dump.lines().map(|l| l.split(" |").next().unwrap_or_default().trim_end());
    lines.flat_map(|l| [l, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_ovs() {
        assert_eq!(
            hex_dump(&[1, 0, 0, 8]),
            "00000000  01 00 00 08                                     |....            |\n"
        );
        assert_eq!(
            hex_dump(&[1, 0xff, 0, 8, 0, 0, 0, 1]),
            "00000000  01 ff 00 08 00 00 00 01-                        |........        |\n"
        );
        assert_eq!(
            hex_dump(b"0123456789abcdefg"),
            "00000000  30 31 32 33 34 35 36 37-38 39 61 62 63 64 65 66 |0123456789abcdef|\n\
             00000010  67                                              |g               |\n"
        );
    }
}
