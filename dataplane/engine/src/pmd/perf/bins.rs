//! [`Histogram`]: 32 bins between walls that Open vSwitch chose. One thread counts, any thread reads.

use crate::counters::Counter;

/// Bins of a histogram; the last has no upper wall.
pub const BINS: usize = 32;
/// Walls between them.
const WALLS: usize = BINS - 1;

/// How the walls are placed from the first to the last.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// At equal distances.
    Linear(u64, u64),
    /// At equal ratios, as far as these are whole numbers.
    Log(u64, u64),
}

impl Scale {
    fn walls(self) -> [u64; WALLS] {
        let steps = WALLS as u64 - 1;
        match self {
            Self::Linear(first, last) => {
                std::array::from_fn(|i| first + i as u64 * (last - first) / steps)
            }
            Self::Log(first, last) => {
                // From 0 there is no ratio: it begins at 1.
                let (from, steps) = if first == 0 { (1, steps - 1) } else { (first, steps) };
                let skipped = WALLS as u64 - 1 - steps;
                let ratio = (last as f64 / from as f64).ln() / steps as f64;
                let mut below = first;
                std::array::from_fn(|i| {
                    if i == 0 {
                        // The logarithm of a wall is a little less than the wall.
                        below = if first == 0 { 0 } else { first - 1 };
                    } else if i == WALLS - 1 {
                        below = last;
                    } else {
                        let step = i as u64 - skipped;
                        let wall = (from as f64 * (ratio * step as f64).exp()) as u64;
                        below = wall.max(below + 1);
                    }
                    below
                })
            }
        }
    }
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Histogram {
    walls: [u64; WALLS],
    counts: [Counter; BINS],
}

impl Histogram {
    pub(super) fn new(scale: Scale) -> Self {
        Self { walls: scale.walls(), counts: std::array::from_fn(|_| Counter::default()) }
    }

    /// Counts a value. Owner only.
    #[inline]
    pub(super) fn add(&self, value: u64) {
        let bin = self.walls.partition_point(|&wall| wall < value);
        if let Some(count) = self.counts.get(bin) {
            count.add(1);
        }
    }

    pub(super) fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            walls: self.walls,
            counts: std::array::from_fn(|i| self.counts.get(i).map_or(0, Counter::get)),
        }
    }
}

/// Values of a histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramSnapshot {
    walls: [u64; WALLS],
    counts: [u64; BINS],
}

impl HistogramSnapshot {
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.counts;
        for (count, before) in counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*before);
        }
        Self { walls: self.walls, counts }
    }

    /// The largest value of each bin, `None` for the last, and how many values there were.
    pub fn bins(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let walls = self.walls.iter().copied().map(Some).chain([None]);
        walls.zip(self.counts.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The walls that Open vSwitch prints.
    #[test]
    fn walls_are_those_of_open_vswitch() {
        let of = |scale: Scale| scale.walls().map(|wall| wall.to_string()).join(" ");
        assert_eq!(
            of(Scale::Log(500, 24_000_000)),
            "499 716 1025 1469 2104 3014 4317 6183 8857 12686 18171 26027 37279 53395 76480 109544 \
             156903 224736 321895 461058 660385 945886 1354815 1940535 2779476 3981111 5702243 \
             8167461 11698454 16755981 24000000"
        );
        assert_eq!(
            of(Scale::Log(0, 1000)),
            "0 1 2 3 4 5 6 7 8 9 10 11 13 17 22 28 35 45 57 72 92 117 148 188 239 303 385 489 621 \
             788 1000"
        );
        assert_eq!(
            of(Scale::Linear(100, 30_000)),
            "100 1096 2093 3090 4086 5083 6080 7076 8073 9070 10066 11063 12060 13056 14053 15050 \
             16046 17043 18040 19036 20033 21030 22026 23023 24020 25016 26013 27010 28006 29003 \
             30000"
        );
        assert_eq!(
            of(Scale::Linear(0, 32)),
            "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 32"
        );
        assert_eq!(
            of(Scale::Log(0, 512)),
            "0 1 2 3 4 5 6 7 8 9 10 11 12 13 16 20 25 31 38 48 59 73 91 113 140 174 216 268 332 412 \
             512"
        );
        assert_eq!(
            of(Scale::Log(1000, 1_000_000)),
            "999 1258 1584 1995 2511 3162 3981 5011 6309 7943 9999 12589 15848 19952 25118 31622 \
             39810 50118 63095 79432 99999 125892 158489 199526 251188 316227 398107 501187 630957 \
             794328 1000000"
        );
    }

    #[test]
    fn values_fall_into_the_bin_whose_wall_they_do_not_exceed() {
        let histogram = Histogram::new(Scale::Linear(0, 32));
        for value in [0, 1, 15, 16, 32, 33, u64::MAX] {
            histogram.add(value);
        }
        let before = histogram.snapshot();
        let filled =
            |h: &HistogramSnapshot| h.bins().filter(|(_, count)| *count != 0).collect::<Vec<_>>();
        let expected = [(Some(0), 1), (Some(1), 1), (Some(16), 2), (Some(32), 1), (None, 2)];
        assert_eq!(filled(&before), expected);
        histogram.add(31);
        assert_eq!(filled(&histogram.snapshot().since(&before)), [(Some(32), 1)]);
    }
}
