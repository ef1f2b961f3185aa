//! Samples and the table made of them.

use std::fmt;

use crate::account::Account;
use crate::goal::Reached;
use crate::row::Row;

/// One measurement of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// `weir`, `ovs` or `testpmd`.
    pub(crate) side: &'static str,
    /// The side's configuration.
    pub(crate) config: &'static str,
    /// Packets a second at the sink.
    pub(crate) rate: f64,
    /// The same of each second that the row was held.
    pub(crate) seconds: Vec<f64>,
    /// The same before the row's disturbance, if it has one.
    pub(crate) clean: Option<f64>,
    /// What its disturbance really did a second.
    pub(crate) made: Option<f64>,
    /// What of an attack the switch received a second.
    pub(crate) taken: Option<f64>,
    /// TSC cycles a packet, where the side counts them.
    pub(crate) cycles: Option<f64>,
    /// Where the packets went, where the side counts them.
    pub(crate) account: Option<Account>,
}

/// All samples of a row.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) row: &'static Row,
    pub(crate) samples: Vec<Sample>,
}

/// The report of a run.
#[derive(Debug, Default)]
pub(crate) struct Report(pub(crate) Vec<Line>);

/// A side's samples in one configuration.
struct Summary {
    config: &'static str,
    median: f64,
    best: f64,
    cycles: f64,
    kept: f64,
    worst: f64,
}

impl Summary {
    /// What was not measured.
    const NONE: Self = Self {
        config: "-",
        median: f64::NAN,
        best: f64::NAN,
        cycles: f64::NAN,
        kept: f64::NAN,
        worst: f64::NAN,
    };
}

impl Report {
    /// Keeps a sample.
    pub(crate) fn add(&mut self, row: &'static Row, sample: Sample) {
        match self.0.iter_mut().find(|l| l.row.name == row.name) {
            Some(line) => line.samples.push(sample),
            None => self.0.push(Line { row, samples: vec![sample] }),
        }
    }

    /// Did Weir lose a packet without saying why?
    pub(crate) fn lost(&self) -> bool {
        let all = self.0.iter().flat_map(|l| &l.samples).filter(|s| s.side == "weir");
        all.filter_map(|s| s.account.as_ref()).any(|a| !a.balanced())
    }
}

fn median(v: impl Iterator<Item = f64>) -> f64 {
    let mut v: Vec<f64> = v.collect();
    v.sort_by(f64::total_cmp);
    // The middle one, or what lies between the two in the middle.
    let at = |i: usize| v.get(i).copied().unwrap_or(f64::NAN);
    (at(v.len() / 2) + at(v.len().saturating_sub(1) / 2)) / 2.0
}

impl Line {
    /// The side in one configuration.
    fn summary(&self, side: &str, config: &'static str) -> Summary {
        let all = || self.samples.iter().filter(|s| s.side == side && s.config == config);
        Summary {
            config,
            median: median(all().map(|s| s.rate)),
            best: all().map(|s| s.rate).fold(f64::NAN, f64::max),
            cycles: median(all().filter_map(|s| s.cycles)),
            kept: median(all().filter_map(|s| Some(s.rate / s.clean?))),
            worst: all().flat_map(|s| &s.seconds).copied().fold(f64::NAN, f64::min),
        }
    }

    /// The side in the configuration that serves it best.
    fn side(&self, side: &str) -> Summary {
        let samples = self.samples.iter().filter(|s| s.side == side);
        let all = samples.map(|s| self.summary(side, s.config));
        all.max_by(|a, b| a.median.total_cmp(&b.median)).unwrap_or(Summary::NONE)
    }

    fn goals(&self, reached: Reached) -> String {
        let word = |met| match met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not measured",
        };
        let goals = self.row.goals.iter().map(|g| format!("{g}: {}", word(g.met(reached))));
        goals.collect::<Vec<_>>().join("; ")
    }
}

/// A number, or a dash for what was not measured.
fn number(x: f64, digits: usize) -> String {
    if x.is_finite() { format!("{x:.digits$}") } else { "-".into() }
}

const HEAD: &str = "| row | traffic and tables | Weir Mpps, median (best) | cycles | OVS-DPDK Mpps, \
     median (best) | cycles | configuration | testpmd io Mpps | testpmd mac Mpps | Weir / OVS-DPDK, medians (bests) \
     | Weir / testpmd | kept, Weir (OVS-DPDK) | goal |\n\
     | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (weir, ovs) = (self.side("weir"), self.side("ovs"));
        let (io, mac) = (self.summary("testpmd", "io"), self.summary("testpmd", "mac"));
        let peer = ovs.median;
        let reached =
            Reached { rate: weir.median, peer, io: io.median, kept: weir.kept, worst: weir.worst };
        // Rates that need more digits are those of rows that are slow somewhere.
        let rate = |x: f64| number(x / 1e6, if x < 1e5 { 4 } else { 2 });
        let pair = |s: &Summary| match s.median.is_nan() {
            true => "-".to_owned(),
            false => format!("{} ({})", rate(s.median), rate(s.best)),
        };
        let ratio = match peer.is_nan() || weir.median.is_nan() {
            true => "-".to_owned(),
            false => {
                format!("{} ({})", number(weir.median / peer, 2), number(weir.best / ovs.best, 2))
            }
        };
        let kept = match weir.kept.is_nan() && ovs.kept.is_nan() {
            true => "-".to_owned(),
            false => format!("{} ({})", number(weir.kept, 2), number(ovs.kept, 2)),
        };
        let columns = [
            self.row.name.to_owned(),
            self.row.title.to_owned(),
            pair(&weir),
            number(weir.cycles, 0),
            pair(&ovs),
            number(ovs.cycles, 0),
            ovs.config.to_owned(),
            pair(&io),
            pair(&mac),
            ratio,
            number(weir.median / io.median, 2),
            kept,
            self.goals(reached),
        ];
        writeln!(f, "| {} |", columns.join(" | "))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        self.0.iter().try_for_each(|line| line.fmt(f))?;
        writeln!(f)?;
        for line in &self.0 {
            for s in &line.samples {
                let whose = format!("{} {} {}", line.row.name, s.side, s.config);
                if let Some(worst) = s.seconds.iter().copied().reduce(f64::min) {
                    let (held, middle) = (s.seconds.len(), median(s.seconds.iter().copied()));
                    writeln!(
                        f,
                        "{whose}: held {held} s: worst second {worst:.0} packets, median {middle:.0}"
                    )?;
                }
                if let Some(made) = s.made {
                    write!(f, "{whose}: disturbance: {made:.0} a second")?;
                    let taken = s.taken.map(|n| format!(", {n:.0} received by the switch"));
                    writeln!(f, "{}", taken.unwrap_or_default())?;
                }
                if let Some(account) = &s.account {
                    writeln!(f, "{whose}: account: {account}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ROWS;

    fn sample(side: &'static str, config: &'static str, rate: f64) -> Sample {
        Sample { side, config, rate, ..Sample::default() }
    }

    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 9.0].into_iter()), 3.0);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn the_peers_best_configuration_counts() {
        let mut report = Report::default();
        for s in [
            sample("weir", "default", 3e6),
            sample("ovs", "default", 1e6),
            sample("ovs", "smc", 2e6),
        ] {
            report.add(&ROWS[0], s);
        }
        let text = report.to_string();
        assert!(text.contains("| 2.00 (2.00) | - | smc |"), "{text}");
        assert!(text.contains("1.5 x OVS: met"), "{text}");
        assert!(!report.lost());
    }

    #[test]
    fn the_worst_second_and_both_ways_of_testpmd_are_shown() {
        let mut report = Report::default();
        let row = ROWS.iter().find(|r| r.held).unwrap();
        let held = Sample { seconds: vec![4e5, 2e5, 5e5], ..sample("weir", "default", 4e5) };
        for s in [held, sample("testpmd", "io", 7e6), sample("testpmd", "mac", 6e6)] {
            report.add(row, s);
        }
        let text = report.to_string();
        assert!(text.contains("held 3 s: worst second 200000 packets, median 400000"), "{text}");
        assert!(text.contains("300000 packets in every second: missed"), "{text}");
        assert!(text.contains("| 7.00 (7.00) | 6.00 (6.00) |"), "{text}");
    }
}
