//! Configurations of the peer: in each row its best one counts.

/// A name, and what is set in `Open_vSwitch` before the bridge is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    pub(crate) settings: &'static [&'static str],
}

/// All there are; the first is that of Weir, too.
pub(crate) static CONFIGS: &[Config] = &[
    Config { name: "default", settings: &[] },
    Config {
        name: "smc",
        settings: &["other_config:smc-enable=true", "other_config:emc-insert-inv-prob=0"],
    },
    Config { name: "emc", settings: &["other_config:emc-insert-inv-prob=1"] },
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
}
