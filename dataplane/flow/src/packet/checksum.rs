//! The Internet checksum (RFC 1071), of whole headers and updated in place (RFC 1624).
//!
//! Sums are of big-endian 16-bit words, not complemented, not folded.

/// Adds the words of `data` to `sum`; an odd last byte counts as the high byte of a word.
///
/// `sum` must be a folded sum or the result of this function over at most 64 kB.
#[must_use]
pub fn add(sum: u32, data: &[u8]) -> u32 {
    let mut total = u64::from(sum);
    let (quads, rest) = data.as_chunks::<4>();
    for quad in quads {
        total += u64::from(u32::from_be_bytes(*quad));
    }
    let (pairs, odd) = rest.as_chunks::<2>();
    for pair in pairs {
        total += u64::from(u16::from_be_bytes(*pair));
    }
    if let [last] = odd {
        total += u64::from(*last) << 8;
    }
    u32::from(fold_wide(total))
}

/// Folds a sum of 32-bit words into 16 bits. Zero only if the sum is zero.
#[inline]
#[must_use]
pub const fn fold_wide(sum: u64) -> u16 {
    // 2^16 = 1 modulo 2^16 - 1, so the halves may be added up.
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    fold(sum as u32)
}

/// Folds a sum into 16 bits. Zero only if the sum is zero.
#[inline]
#[must_use]
pub const fn fold(sum: u32) -> u16 {
    let sum = (sum >> 16) + (sum & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
}

/// The checksum of `data`, in host order: what to write into a header whose checksum field is zero.
#[must_use]
pub fn checksum(data: &[u8]) -> u16 {
    !fold(add(0, data))
}

/// Sum of the pseudo header of IPv4 (RFC 9293 section 3.1) or IPv6 (RFC 8200 section 8.1), told
/// apart by the length of the addresses only in that both are added up.
#[must_use]
pub fn pseudo_header(src: &[u8], dst: &[u8], proto: u8, len: u32) -> u32 {
    let sum = add(add(0, src), dst);
    u32::from(fold(sum + u32::from(proto) + (len >> 16) + (len & 0xffff)))
}

/// The checksum after `old` was replaced by `new`, of the same even length, in the data it covers
/// (RFC 1624, equation 3).
#[must_use]
pub fn update(checksum: u16, old: &[u8], new: &[u8]) -> u16 {
    !replace(!checksum, old, new)
}

/// A folded sum after `old` was replaced by `new` in what it is of: [`update`] of a checksum that
/// is not complemented yet, such as the pseudo header's sum in a packet whose checksum the egress
/// port completes.
#[must_use]
pub fn replace(sum: u16, old: &[u8], new: &[u8]) -> u16 {
    let minus = !fold(add(0, old));
    fold(add(u32::from(sum) + u32::from(minus), new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn example_of_rfc_1071() {
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(fold(add(0, &data)), 0xddf2);
        assert_eq!(checksum(&[]), 0xffff);
        assert_eq!(checksum(&[0xff; 65_535]), 0x00ff);
    }

    fn slow(data: &[u8]) -> u16 {
        let mut sum = 0u64;
        for (i, b) in data.iter().enumerate() {
            sum += u64::from(*b) << if i % 2 == 0 { 8 } else { 0 };
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    proptest! {
        #[test]
        fn equals_the_definition(data in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(fold(add(0, &data)), slow(&data));
        }

        #[test]
        fn an_update_equals_a_new_sum(
            mut data in prop::collection::vec(any::<u8>(), 2..200),
            new: [u8; 2],
            at: prop::sample::Index,
        ) {
            data[0] = 1; // all-zero data has two representations of its sum
            let at = at.index(data.len() / 2) * 2;
            let before = checksum(&data);
            let old = [data[at], data[at + 1]];
            data[at..at + 2].copy_from_slice(&new);
            let after = checksum(&data);
            let updated = update(before, &old, &new);
            // 0 and 0xffff are the same sum.
            prop_assert!(updated == after || [updated, after].iter().all(|c| [0, 0xffff].contains(c)));
        }
    }
}
