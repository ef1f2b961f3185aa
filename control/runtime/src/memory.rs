//! `memory/show`, and a log line when the process has grown a lot.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::clock::{Clock, Msec};
use crate::process;

/// How often the size is looked at.
const INTERVAL: Msec = 10_000;
/// Growth by less than this many hundredths is no news.
const NEWS_PERCENT: u64 = 50;

/// What a program holds: counts by name. Sorted, as `memory/show` prints them.
pub type Usage = BTreeMap<String, u64>;

/// One line: `cells:20 monitors:0`.
pub fn format_usage(usage: &Usage) -> String {
    let parts: Vec<String> = usage.iter().map(|(name, count)| format!("{name}:{count}")).collect();
    parts.join(" ")
}

/// Watches the peak resident set size.
#[derive(Debug)]
pub struct Watch {
    next_check: Msec,
    last_report: Option<(Msec, u64)>,
}

impl Watch {
    /// Starts to watch.
    pub fn new(now: Msec) -> Self {
        Self { next_check: now + INTERVAL, last_report: None }
    }

    /// When [`Watch::run`] has something to do.
    pub fn poll_at(&self) -> Msec {
        self.next_check
    }

    /// Logs what `usage` says if the process has grown much since the last time.
    pub fn run(&mut self, now: Msec, usage: impl FnOnce() -> Usage) {
        if now < self.next_check {
            return;
        }
        self.next_check = now + INTERVAL;
        let Some(peak) = peak_rss_kb() else { return };
        let Some(text) = self.news(now, peak) else { return };
        log::info!(target: "memory", "{text}");
        let line = format_usage(&usage());
        if !line.is_empty() {
            log::info!(target: "memory", "{line}");
        }
    }

    fn news(&mut self, now: Msec, peak_kb: u64) -> Option<String> {
        let mut text = String::new();
        match self.last_report {
            None => {
                let uptime = seconds(process::uptime_ms());
                let _ = write!(text, "{peak_kb} kB peak resident set size after {uptime} seconds");
            }
            Some((then, old)) => {
                let growth = peak_kb.saturating_sub(old).saturating_mul(100) / old.max(1);
                if growth < NEWS_PERCENT {
                    return None;
                }
                let _ = write!(
                    text,
                    "peak resident set size grew {growth}% in last {} seconds, from {old} kB to \
                     {peak_kb} kB",
                    seconds(now - then)
                );
            }
        }
        self.last_report = Some((now, peak_kb));
        Some(text)
    }
}

fn seconds(ms: Msec) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}

fn peak_rss_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

impl Default for Watch {
    fn default() -> Self {
        Self::new(Clock::process().now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news() {
        let mut watch = Watch::new(0);
        assert!(watch.news(10_000, 1000).unwrap().starts_with("1000 kB peak resident set size"));
        assert_eq!(watch.news(20_000, 1400), None);
        assert_eq!(
            watch.news(30_500, 1600).unwrap(),
            "peak resident set size grew 60% in last 20.5 seconds, from 1000 kB to 1600 kB"
        );
        assert!(peak_rss_kb().unwrap() > 0);
    }

    #[test]
    fn one_line() {
        let usage = [("monitors".to_owned(), 0), ("cells".to_owned(), 20)].into();
        assert_eq!(format_usage(&usage), "cells:20 monitors:0");
    }
}
