//! The command line for `rte_eal_init`, made from `other_config:dpdk-*` and what the machine has.

use crate::error::DpdkError;

/// The keys of `other_config` that concern the EAL, as text where OVS has text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EalConfig {
    /// Name in DPDK's messages (`argv[0]`).
    pub program: String,
    /// `dpdk-lcore-mask`: hexadecimal. The calling thread is pinned to the lowest CPU of it; without
    /// a mask no thread is pinned.
    pub lcore_mask: Option<String>,
    /// `dpdk-alloc-mem`: megabytes.
    pub alloc_mem: Option<u32>,
    /// `dpdk-socket-mem`: megabytes for each NUMA node, separated by commas; wins over `alloc_mem`.
    pub socket_mem: Option<String>,
    /// `dpdk-socket-limit`: megabytes for each NUMA node that may not be exceeded.
    pub socket_limit: Option<String>,
    /// `dpdk-hugepage-dir`: asks for huge pages from this mount.
    pub hugepage_dir: Option<String>,
    /// `dpdk-extra`: more arguments; they replace what the other keys say.
    pub extra: String,
    /// `dpdk-probe-at-init`: take every PCI device bound to a user-space driver at the start.
    pub probe_at_init: bool,
    /// Megabytes to use without huge pages when no key says so.
    pub plain_megabytes: u32,
    /// Use huge pages if there are any (else never).
    pub huge_pages: bool,
}

impl Default for EalConfig {
    fn default() -> Self {
        Self {
            program: "ovs-vswitchd".to_owned(),
            lcore_mask: None,
            alloc_mem: None,
            socket_mem: None,
            socket_limit: None,
            hugepage_dir: None,
            extra: String::new(),
            probe_at_init: false,
            plain_megabytes: 1024,
            huge_pages: true,
        }
    }
}

/// Where packet memory comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Huge pages.
    Huge,
    /// Plain pages, this many megabytes of address space, backed as they are touched.
    Plain {
        /// Megabytes.
        megabytes: u32,
    },
}

/// What the arguments depend on besides the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// CPUs the calling thread may use.
    pub(crate) cpus: Vec<usize>,
    /// Free huge pages, in kilobytes.
    pub(crate) free_huge_kb: u64,
    /// Memory that could be used, in kilobytes.
    pub(crate) available_kb: u64,
    /// For a name of its own.
    pub(crate) pid: u32,
}

/// Below this much free huge memory DPDK cannot even start.
const MIN_HUGE_KB: u64 = 16 * 1024;

impl Machine {
    /// Looks at this one.
    pub(crate) fn look(config: &EalConfig) -> Self {
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let mut free_huge_kb = free_huge_kb(std::path::Path::new("/sys/kernel/mm/hugepages"));
        if !config.huge_pages {
            free_huge_kb = 0;
        }
        Self {
            cpus: crate::lcore::affinity(),
            free_huge_kb,
            available_kb: meminfo_kb(&meminfo, "MemAvailable").unwrap_or(u64::MAX),
            pid: std::process::id(),
        }
    }
}

/// A line of `/proc/meminfo`, in kilobytes.
fn meminfo_kb(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Free huge pages of every size, from directories named `hugepages-2048kB`.
fn free_huge_kb(directory: &std::path::Path) -> u64 {
    let Ok(sizes) = std::fs::read_dir(directory) else {
        return 0;
    };
    let free_of = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        let size = name.to_str()?.strip_prefix("hugepages-")?.strip_suffix("kB")?;
        let size: u64 = size.parse().ok()?;
        let free = std::fs::read_to_string(entry.path().join("free_hugepages")).ok()?;
        Some(size.saturating_mul(free.trim().parse().ok()?))
    };
    sizes.flatten().filter_map(free_of).fold(0, u64::saturating_add)
}

impl EalConfig {
    /// Which memory these settings lead to on this machine.
    pub(crate) fn memory(&self, machine: &Machine) -> Memory {
        let extra = split_words(&self.extra);
        let plain = has(&extra, &["--no-huge"]);
        let huge = self.hugepage_dir.is_some()
            || has(
                &extra,
                &["--huge-dir", "--in-memory", "--socket-mem", "--single-file-segments"],
            )
            || machine.free_huge_kb >= MIN_HUGE_KB;
        if huge && !plain {
            return Memory::Huge;
        }
        let wanted = self.socket_megabytes().or(self.alloc_mem).unwrap_or_else(|| {
            // Leave half of a small machine to others; DPDK cannot do with less than 64.
            let half = u32::try_from(machine.available_kb / 2048).unwrap_or(u32::MAX);
            self.plain_megabytes.min(half).max(64)
        });
        Memory::Plain { megabytes: wanted }
    }

    /// The sum of `dpdk-socket-mem`, when it is given and not zero.
    fn socket_megabytes(&self) -> Option<u32> {
        let list = self.socket_mem.as_deref()?;
        let sum = list
            .split(',')
            .filter_map(|part| part.trim().parse::<u32>().ok())
            .fold(0, u32::saturating_add);
        (sum > 0).then_some(sum)
    }

    /// The whole argument vector.
    pub(crate) fn arguments(&self, machine: &Machine) -> Result<Vec<String>, DpdkError> {
        let extra = split_words(&self.extra);
        let mut arguments = vec![self.program.clone()];
        arguments.extend(extra.iter().cloned());
        // Adds an option unless dpdk-extra has it, in any of its spellings.
        let mut add = |spellings: &[&str], words: &[&str], from: Option<&str>| {
            if has(&extra, spellings) {
                if let Some(key) = from {
                    log::warn!(
                        target: "dpdk",
                        "Ignoring database defined option '{key}' due to dpdk-extra config"
                    );
                }
            } else {
                arguments.extend(words.iter().map(|&word| word.to_owned()));
            }
        };

        const LCORES: &[&str] = &["-c", "-l", "--lcores"];
        match &self.lcore_mask {
            Some(mask) => {
                let lowest = lowest_cpu(mask)?.to_string();
                add(LCORES, &["--lcores", &format!("0@{lowest}")], Some("dpdk-lcore-mask"));
            }
            None => {
                let cpus: Vec<String> = machine.cpus.iter().map(ToString::to_string).collect();
                let all = format!("0@({})", cpus.join(","));
                add(LCORES, &["--lcores", if cpus.is_empty() { "0@0" } else { &all }], None);
            }
        }

        match self.memory(machine) {
            Memory::Huge => {
                if let Some(directory) = &self.hugepage_dir {
                    add(&["--huge-dir"], &["--huge-dir", directory], Some("dpdk-hugepage-dir"));
                }
                if let Some(limit) = &self.socket_limit {
                    check_megabytes("dpdk-socket-limit", limit)?;
                    add(&["--socket-limit"], &["--socket-limit", limit], Some("dpdk-socket-limit"));
                }
                self.add_huge_memory(&mut add)?;
                add(&["--in-memory", "--no-shconf", "--legacy-mem"], &["--in-memory"], None);
            }
            Memory::Plain { megabytes } => {
                add(&["--no-huge"], &["--no-huge"], None);
                add(&["-m"], &["-m", &megabytes.to_string()], None);
                // Without huge pages DPDK keeps its segments in one piece, which --in-memory excludes.
                add(&["--no-shconf", "--in-memory"], &["--no-shconf"], None);
                add(&["--iova-mode"], &["--iova-mode", "va"], None);
            }
        }
        add(&["--no-telemetry", "--telemetry"], &["--no-telemetry"], None);
        add(&["--file-prefix"], &["--file-prefix", &format!("weir-{}", machine.pid)], None);
        if !self.probe_at_init {
            // An allow-list with no device in it: each is probed when a port asks for it.
            let spellings = &["-a", "--allow", "-b", "--block", "--no-pci"];
            add(spellings, &["-a", "0000:00:00.0"], None);
        }
        Ok(arguments)
    }

    fn add_huge_memory(
        &self,
        add: &mut impl FnMut(&[&str], &[&str], Option<&str>),
    ) -> Result<(), DpdkError> {
        if self.socket_mem.is_some() && self.alloc_mem.is_some() {
            log::error!(
                target: "dpdk",
                "Multiple defined options for memory type. \
                 Please check your database settings and reconfigure if necessary."
            );
        }
        if let Some(list) = &self.socket_mem {
            check_megabytes("dpdk-socket-mem", list)?;
            add(&["--socket-mem", "-m"], &["--socket-mem", list], Some("dpdk-socket-mem"));
        } else if let Some(megabytes) = self.alloc_mem {
            let megabytes = megabytes.to_string();
            add(&["-m", "--socket-mem"], &["-m", &megabytes], Some("dpdk-alloc-mem"));
        }
        Ok(())
    }
}

/// Whether one of the options is among the words, by itself or with `=value`; for one-letter options
/// also with the value behind.
fn has(words: &[String], spellings: &[&str]) -> bool {
    words.iter().any(|word| {
        spellings.iter().any(|option| {
            word.strip_prefix(option).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('=') || !option.starts_with("--")
            })
        })
    })
}

/// Words separated by white space; quotes keep it, a backslash takes the next character as it is.
fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(end), c) if c == end => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The lowest CPU of a hexadecimal mask.
fn lowest_cpu(mask: &str) -> Result<usize, DpdkError> {
    let bad =
        |reason| DpdkError::BadOption { option: "dpdk-lcore-mask", value: mask.to_owned(), reason };
    let digits = mask.trim().trim_start_matches("0x").trim_start_matches("0X");
    for (place, digit) in digits.chars().rev().enumerate() {
        let bits = digit.to_digit(16).ok_or_else(|| bad("not a hexadecimal number"))?;
        if bits != 0 {
            if digits.chars().any(|c| !c.is_ascii_hexdigit()) {
                return Err(bad("not a hexadecimal number"));
            }
            return Ok(place * 4 + bits.trailing_zeros() as usize);
        }
    }
    Err(bad("it names no CPU"))
}

fn check_megabytes(option: &'static str, list: &str) -> Result<(), DpdkError> {
    let good = list.split(',').all(|part| part.trim().parse::<u32>().is_ok());
    if good {
        return Ok(());
    }
    let reason = "megabytes of each NUMA node, separated by commas, are wanted";
    Err(DpdkError::BadOption { option, value: list.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine { cpus: vec![0, 1], free_huge_kb: 0, available_kb: 8 << 20, pid: 7 }
    }

    fn line(config: &EalConfig, machine: &Machine) -> String {
        config.arguments(machine).unwrap().join(" ")
    }

    #[test]
    fn without_huge_pages() {
        assert_eq!(
            line(&EalConfig::default(), &machine()),
            "ovs-vswitchd --lcores 0@(0,1) --no-huge -m 1024 --no-shconf --iova-mode va \
             --no-telemetry --file-prefix weir-7 -a 0000:00:00.0"
        );
        let small = Machine { available_kb: 400 << 10, ..machine() };
        assert_eq!(EalConfig::default().memory(&small), Memory::Plain { megabytes: 200 });
        let config = EalConfig { socket_mem: Some("256,128".into()), ..EalConfig::default() };
        assert_eq!(config.memory(&machine()), Memory::Plain { megabytes: 384 });
    }

    #[test]
    fn with_huge_pages() {
        let huge = Machine { free_huge_kb: 2 << 20, ..machine() };
        let config = EalConfig {
            lcore_mask: Some("0xc".into()),
            socket_mem: Some("1024,0".into()),
            socket_limit: Some("2048".into()),
            hugepage_dir: Some("/mnt/huge".into()),
            probe_at_init: true,
            ..EalConfig::default()
        };
        assert_eq!(
            line(&config, &huge),
            "ovs-vswitchd --lcores 0@2 --huge-dir /mnt/huge --socket-limit 2048 \
             --socket-mem 1024,0 --in-memory --no-telemetry --file-prefix weir-7"
        );
        let never = EalConfig { huge_pages: false, ..EalConfig::default() };
        let none = Machine { free_huge_kb: 0, ..huge };
        assert!(matches!(never.memory(&none), Memory::Plain { .. }));
    }

    #[test]
    fn extra_overrides() {
        let config = EalConfig {
            lcore_mask: Some("1".into()),
            alloc_mem: Some(99),
            extra: "-l 1 --no-huge -m 128 --file-prefix=x -a '0000:01:00.0,a b'".into(),
            ..EalConfig::default()
        };
        let huge = Machine { free_huge_kb: 2 << 20, ..machine() };
        assert_eq!(
            config.arguments(&huge).unwrap(),
            [
                "ovs-vswitchd",
                "-l",
                "1",
                "--no-huge",
                "-m",
                "128",
                "--file-prefix=x",
                "-a",
                "0000:01:00.0,a b",
                "--no-shconf",
                "--iova-mode",
                "va",
                "--no-telemetry",
            ]
        );
    }

    #[test]
    fn masks() {
        assert_eq!(lowest_cpu("0x10").unwrap(), 4);
        assert_eq!(lowest_cpu("8000000000000000000000").unwrap(), 87);
        for bad in ["", "0", "0xg1", "zz"] {
            assert!(lowest_cpu(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_memory_lists() {
        let config = EalConfig { socket_mem: Some("a".into()), ..EalConfig::default() };
        let huge = Machine { free_huge_kb: 2 << 20, ..machine() };
        assert!(matches!(config.arguments(&huge), Err(DpdkError::BadOption { .. })));
    }

    #[test]
    fn meminfo() {
        let text = "MemTotal:       1 kB\nMemAvailable:   23921 kB\n";
        assert_eq!(meminfo_kb(text, "MemAvailable"), Some(23921));
        assert_eq!(meminfo_kb(text, "Mem"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_options_are_judged(mask: String, extra: String, memory: String) {
            let _ = lowest_cpu(&mask);
            let config = EalConfig {
                lcore_mask: Some(mask),
                socket_mem: Some(memory),
                extra,
                ..EalConfig::default()
            };
            let _ = config.arguments(&machine());
        }

        #[test]
        fn quoted_words_come_back(words in proptest::collection::vec("[^'\"\\\\]{1,8}", 0..5)) {
            let line: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            proptest::prop_assert_eq!(split_words(&line.join(" ")), words);
        }
    }
}
