//! Configurations of the peer: in each row its best one counts.

use std::fs;

use crate::error::RunError;
use crate::process::WorkDir;
use crate::programs::Programs;
use crate::running::Running;

/// A name, and how the switch is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    /// Set in `Open_vSwitch` before the bridge is made.
    pub(crate) settings: &'static [&'static str],
    /// `ovs-appctl` once the bridge is there.
    pub(crate) commands: &'static [&'static [&'static str]],
    /// What not every machine or build has.
    needs: Option<Needs>,
}

/// A feature of the CPU, and what `dpif-netdev/subtable-lookup-prio-get` lists of a build that uses it.
#[derive(Clone, Copy, Debug)]
struct Needs {
    cpu: &'static str,
    listed: &'static str,
}

impl Config {
    const fn new(name: &'static str, settings: &'static [&'static str]) -> Self {
        Self { name, settings, commands: &[], needs: None }
    }

    /// Can `programs` run so on this machine? If not, why.
    pub(crate) fn missing(
        &self,
        programs: &Programs,
        work: &WorkDir,
    ) -> Result<Option<String>, RunError> {
        let Some(needs) = self.needs else { return Ok(None) };
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        if !has_feature(&cpus, needs.cpu) {
            return Ok(Some(format!("the CPU has no {}", needs.cpu)));
        }
        let text =
            Running::start(programs, work)?.appctl(&["dpif-netdev/subtable-lookup-prio-get"])?;
        let listed = text.lines().any(|l| l.split_whitespace().next() == Some(needs.listed));
        let why = || format!("{} was built without {}", programs.vswitchd.display(), needs.listed);
        Ok((!listed).then(why))
    }
}

/// Does `/proc/cpuinfo` name the feature?
fn has_feature(cpuinfo: &str, feature: &str) -> bool {
    let flags = cpuinfo.lines().find(|l| l.starts_with("flags"));
    flags.is_some_and(|l| l.split_whitespace().any(|f| f == feature))
}

/// All there are; the first is that of Weir, too.
pub(crate) static CONFIGS: &[Config] = &[
    Config::new("default", &[]),
    Config::new("smc", &["other_config:smc-enable=true", "other_config:emc-insert-inv-prob=0"]),
    Config::new("emc", &["other_config:emc-insert-inv-prob=1"]),
    Config {
        commands: &[
            &["dpif-netdev/subtable-lookup-prio-set", "avx512_gather", "5"],
            &["dpif-netdev/dpif-impl-set", "dpif_avx512"],
            &["dpif-netdev/miniflow-parser-set", "study"],
        ],
        needs: Some(Needs { cpu: "avx512f", listed: "avx512_gather" }),
        ..Config::new("avx512", &[])
    },
];

/// The named ones, in order; `names` is a list with commas.
pub(crate) fn named(names: &str) -> Vec<&'static Config> {
    CONFIGS.iter().filter(|c| names.split(',').any(|n| n == c.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_named_by_a_list() {
        let names = |list| named(list).iter().map(|c| c.name).collect::<Vec<_>>();
        assert_eq!(names("emc,default"), ["default", "emc"]);
        assert!(names("other").is_empty());
    }

    #[test]
    fn a_feature_is_a_whole_word_of_the_flags() {
        let text = "model name\t: avx512f\nflags\t\t: fpu avx512fp16 sse\n";
        assert!(has_feature(text, "sse") && !has_feature(text, "avx512f"));
    }
}
