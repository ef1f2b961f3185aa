//! How a select group picks one of its buckets. Where the weights allow it the datapath hashes the
//! packet and translation maps a few bits of the hash to a bucket, so that one group needs no more
//! than that many megaflows; else translation hashes fields, and every connection has its own.

use weir_flow::action::HashAlgorithm;
use weir_openflow::messages::group::GroupProps;

use super::Bucket;

/// See the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// By a hash over the fields that the group names.
    Fields,
    /// By a hash over addresses and ports, the same for both directions.
    SymmetricL4,
    /// By the datapath's hash.
    DpHash {
        /// How the datapath computes it.
        algorithm: HashAlgorithm,
        /// Where it starts.
        basis: u32,
        /// The place of the bucket for each value of the hash's low bits; a power of two of them.
        slots: Box<[u16]>,
    },
}

/// Slots of a group that did not ask for the datapath's hash.
const DEFAULT_SLOTS: u64 = 64;
/// Slots of one that did.
const MAX_SLOTS: u64 = 256;
/// There are never fewer.
const MIN_SLOTS: u64 = 16;

impl Selection {
    /// What a group's properties and weights call for.
    #[must_use]
    pub fn new(props: &GroupProps, buckets: &[Bucket]) -> Self {
        let weights: Vec<u16> = buckets.iter().map(|b| b.config.weight).collect();
        let (algorithm, basis, most) = match props.selection_method.as_str() {
            "" => (HashAlgorithm::SymL4, 0, DEFAULT_SLOTS),
            "dp_hash" => {
                // The parameter's upper half is the algorithm, the lower one the basis.
                let param = props.selection_method_param;
                let algorithm =
                    if param >> 32 == 1 { HashAlgorithm::SymL4 } else { HashAlgorithm::L4 };
                (algorithm, param as u32, MAX_SLOTS)
            }
            _ if props.fields.is_empty() => return Self::SymmetricL4,
            _ => return Self::Fields,
        };
        match slots(&weights, most) {
            Some(slots) => Self::DpHash { algorithm, basis, slots },
            None => Self::SymmetricL4,
        }
    }
}

/// Divides slots among buckets by Sainte-Laguë's method. `None` if all weights are 0 or it takes
/// more than `most` slots to give the lightest bucket one.
fn slots(weights: &[u16], most: u64) -> Option<Box<[u16]>> {
    let total: u64 = weights.iter().map(|w| u64::from(*w)).sum();
    let least = weights.iter().filter(|w| **w > 0).min().map(|w| u64::from(*w))?;
    let n = total.div_ceil(least).checked_next_power_of_two()?.max(MIN_SLOTS);
    if n > most {
        return None;
    }
    let mut seats = vec![0u64; weights.len()];
    let mut slots = Vec::new();
    for _ in 0..n {
        // weight / (2 * seats + 1), compared as fractions; the first of equals wins.
        let mut winner = 0;
        for i in 1..weights.len() {
            let quotient = |at: usize, other: usize| {
                u64::from(*weights.get(at).unwrap_or(&0)) * (2 * seats.get(other).unwrap_or(&0) + 1)
            };
            if quotient(i, winner) > quotient(winner, i) {
                winner = i;
            }
        }
        if let Some(n) = seats.get_mut(winner) {
            *n += 1;
        }
        slots.push(u16::try_from(winner).ok()?);
    }
    Some(slots.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(slots: &[u16], of: u16) -> usize {
        slots.iter().filter(|s| **s == of).count()
    }

    #[test]
    fn slots_are_divided_by_weight() {
        let equal = slots(&[1, 1], 64).unwrap();
        assert_eq!(&equal[..6], [0, 1, 0, 1, 0, 1]);
        let uneven = slots(&[1, 3, 0], 64).unwrap();
        assert_eq!([0, 1, 2].map(|n| count(&uneven, n)), [4, 12, 0]);
        let many = slots(&[1, 30], 64).unwrap();
        assert_eq!((many.len(), count(&many, 0)), (32, 1));
        assert_eq!(slots(&[1, 1000], 64), None);
        assert_eq!(slots(&[1, 200], 256).unwrap().len(), 256);
        assert_eq!(slots(&[0, 0], 64), None);
        assert_eq!(slots(&[], 64), None);
    }
}
