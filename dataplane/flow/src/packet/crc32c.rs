//! CRC32c (Castagnoli), the checksum of SCTP (RFC 9260 appendix A), of whole packets and updated in
//! place.

/// The generator polynomial, lowest power in the highest bit.
const POLY: u32 = 0x82f6_3b78;
/// The polynomial 1.
const ONE: u32 = 1 << 31;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = times_x(crc);
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

/// `a` times x.
const fn times_x(a: u32) -> u32 {
    if a & 1 == 0 { a >> 1 } else { a >> 1 ^ POLY }
}

fn advance(crc: u32, data: &[u8]) -> u32 {
    data.iter().fold(crc, |crc, b| TABLE[usize::from(crc as u8 ^ b)] ^ crc >> 8)
}

/// The CRC of `data`. On the wire its least significant byte comes first.
#[must_use]
pub fn crc32c(data: &[u8]) -> u32 {
    !advance(!0, data)
}

/// What must be XORed to the CRC of some data after `diff` was XORed to a part of it that `behind`
/// bytes follow. The CRC is linear, so neither the data nor its length matters.
#[must_use]
pub fn delta(diff: &[u8], behind: usize) -> u32 {
    multiply(advance(0, diff), power_of_x(8 * behind as u64))
}

/// `a` times `b`.
fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 != 0 {
            product ^= b;
        }
        b = times_x(b);
    }
    product
}

/// x to the `n`th.
fn power_of_x(mut n: u64) -> u32 {
    let mut result = ONE;
    let mut square = times_x(ONE);
    while n != 0 {
        if n & 1 != 0 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        n >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn check_value() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    proptest! {
        #[test]
        fn a_delta_equals_a_new_crc(
            mut data in prop::collection::vec(any::<u8>(), 4..300),
            diff: [u8; 4],
            at: prop::sample::Index,
        ) {
            let at = at.index(data.len() - 3);
            let before = crc32c(&data);
            for (d, x) in data[at..].iter_mut().zip(diff) {
                *d ^= x;
            }
            let behind = data.len() - at - 4;
            prop_assert_eq!(crc32c(&data), before ^ delta(&diff, behind));
        }
    }
}
