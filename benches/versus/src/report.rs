//! Samples and the table made of them.

use std::fmt;

use crate::row::Row;

/// One measurement of one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Packets a second at the sink.
    pub(crate) rate: f64,
    /// TSC cycles a packet, where the side counts them.
    pub(crate) cycles: Option<f64>,
}

/// All samples of a row.
#[derive(Debug)]
pub(crate) struct Line {
    title: &'static str,
    pub(crate) weir: Vec<Sample>,
    pub(crate) ovs: Vec<Sample>,
    pub(crate) testpmd: Vec<Sample>,
}

/// The report of a run.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Line>);

impl Report {
    /// The row's line, made when it is first asked for.
    pub(crate) fn row(&mut self, row: &Row) -> &mut Line {
        let at = self.0.iter().position(|l| l.title == row.title).unwrap_or_else(|| {
            let (weir, ovs, testpmd) = (Vec::new(), Vec::new(), Vec::new());
            self.0.push(Line { title: row.title, weir, ovs, testpmd });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v.get(v.len() / 2).copied().unwrap_or(f64::NAN)
}

fn rates(samples: &[Sample]) -> (f64, f64) {
    let v: Vec<f64> = samples.iter().map(|s| s.rate).collect();
    let best = v.iter().copied().fold(f64::NAN, f64::max);
    (median(v), best)
}

fn cycles(samples: &[Sample]) -> f64 {
    median(samples.iter().filter_map(|s| s.cycles).collect())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| traffic and tables | Weir Mpps, median (best) | cycles | OVS-DPDK Mpps, median (best) \
             | cycles | testpmd io Mpps | Weir / OVS-DPDK, medians (bests) | Weir / testpmd |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        for line in &self.0 {
            let (weir, ovs, io) = (rates(&line.weir), rates(&line.ovs), rates(&line.testpmd));
            writeln!(
                f,
                "| {} | {:.2} ({:.2}) | {:.0} | {:.2} ({:.2}) | {:.0} | {:.2} ({:.2}) | {:.2} ({:.2}) | {:.2} |",
                line.title,
                weir.0 / 1e6,
                weir.1 / 1e6,
                cycles(&line.weir),
                ovs.0 / 1e6,
                ovs.1 / 1e6,
                cycles(&line.ovs),
                io.0 / 1e6,
                io.1 / 1e6,
                weir.0 / ovs.0,
                weir.1 / ovs.1,
                weir.0 / io.0,
            )?;
        }
        Ok(())
    }
}
