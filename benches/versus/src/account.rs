//! Where a run's packets went: what a switch received has left by a sink or was dropped for a reason.

use std::fmt;

/// The packets of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// What the source wrote, where the contest is the source.
    pub(crate) written: Option<u64>,
    /// What the switch's threads received.
    pub(crate) received: u64,
    pub(crate) delivered: u64,
    /// Counters of drops that are not zero.
    pub(crate) dropped: Vec<(String, u64)>,
    /// Packets that may be under way, where the sources could not be stopped.
    pub(crate) slack: u64,
}

impl Account {
    fn found(&self) -> u64 {
        self.delivered + self.dropped.iter().map(|(_, n)| n).sum::<u64>()
    }

    /// Is no packet missing, and none there twice?
    pub(crate) fn balanced(&self) -> bool {
        self.written.is_none_or(|n| n == self.received)
            && self.received.abs_diff(self.found()) <= self.slack
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = self.written.unwrap_or(self.received);
        let dropped: u64 = self.dropped.iter().map(|(_, n)| n).sum();
        let reasons: Vec<_> = self.dropped.iter().map(|(r, n)| format!("{r} {n}")).collect();
        write!(f, "{sent} sent, {} received, {dropped} dropped", self.delivered)?;
        if !reasons.is_empty() {
            write!(f, " ({})", reasons.join(", "))?;
        }
        if sent != self.received {
            write!(f, ", the switch saw {}", self.received)?;
        }
        if self.balanced() {
            return Ok(());
        }
        write!(f, "; MISMATCH: {} missing", i128::from(sent) - i128::from(self.found()))
    }
}

/// `NAME  0.0/sec ... total: N` of `coverage/show`, of those that count dropped packets.
pub(crate) fn drops(text: &str) -> Vec<(String, u64)> {
    let number = |line: &str| line.split_once("total: ")?.1.trim().parse().ok();
    text.lines()
        .filter(|l| l.starts_with("drop_action_") || l.starts_with("datapath_drop_"))
        .filter_map(|l| Some((l.split_whitespace().next()?.to_owned(), number(l)?)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// `packets received: N` of each thread of `pmd-stats-show`, summed.
pub(crate) fn received(text: &str) -> u64 {
    let numbers = text.lines().filter_map(|l| l.trim().strip_prefix("packets received:"));
    numbers.filter_map(|n| n.trim().parse::<u64>().ok()).sum()
}

/// `processing cycles: N (P%)` of each thread of `pmd-stats-show`, summed.
pub(crate) fn cycles(text: &str) -> u64 {
    let after = |l: &'_ str| {
        let rest = l.trim().strip_prefix("processing cycles:")?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    text.lines().filter_map(after).sum()
}

/// Packets and drops of transmission of the numbered ports of `dump-ports`; the bridge's own is none.
pub(crate) fn transmitted(text: &str) -> (u64, u64) {
    let (mut numbered, mut sums) = (false, (0, 0));
    let after = |line: &str, key: &str| -> u64 {
        let rest = line.split_once(key).map_or("", |(_, rest)| rest);
        rest.split(',').next().and_then(|n| n.trim().parse().ok()).unwrap_or(0)
    };
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("port ") {
            numbered = name.trim_start().starts_with(|c: char| c.is_ascii_digit());
        } else if numbered && line.starts_with("tx pkts=") {
            sums.0 += after(line, "tx pkts=");
            sums.1 += after(line, "drop=");
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_the_switches_own_text() {
        let text = "Event coverage, avg rate over last: 5 seconds:\n\
             drop_action_of_pipeline    0.0/sec     0.000/sec        0.0000/sec   total: 19\n\
             datapath_drop_meter    0.0/sec     0.000/sec        0.0000/sec   total: 0\n\
             unixctl_received           0.4/sec     0.033/sec        0.0006/sec   total: 5\n";
        assert_eq!(drops(text), [("drop_action_of_pipeline".to_owned(), 19)]);
        let text = "pmd thread numa_id 0 core_id 1:\n  packets received: 10\n\
             main thread:\n  packets received: 3\n";
        assert_eq!(received(text), 13);
        assert_eq!(cycles("  idle cycles: 4 (1.0%)\n  processing cycles: 9 (2.0%)\n"), 9);
        let text = "OFPST_PORT reply (xid=0x2): 2 ports\n\
             \x20 port  2: rx pkts=0, bytes=0, drop=0, errs=0, frame=?, over=?, crc=?\n\
             \x20          tx pkts=83, bytes=0, drop=2, errs=0, coll=?\n\
             \x20 port LOCAL: rx pkts=0, bytes=0, drop=0, errs=0, frame=0, over=0, crc=0\n\
             \x20          tx pkts=7, bytes=0, drop=789581, errs=0, coll=0\n";
        assert_eq!(transmitted(text), (83, 2));
    }

    #[test]
    fn a_packet_that_is_missing_shows() {
        let mut a = Account {
            received: 10,
            delivered: 7,
            dropped: vec![("drop_action_of_pipeline".into(), 3)],
            ..Account::default()
        };
        assert!(a.balanced());
        assert_eq!(a.to_string(), "10 sent, 7 received, 3 dropped (drop_action_of_pipeline 3)");
        a.delivered = 6;
        assert!(!a.balanced() && a.to_string().ends_with("MISMATCH: 1 missing"));
        a.slack = 1;
        assert!(a.balanced());
        a.written = Some(11);
        assert!(!a.balanced());
    }
}
