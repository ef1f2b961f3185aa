//! `Open_vSwitch.statistics`: the machine's processors, load, memory, disks, and the daemons whose
//! pid files are in the run directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use weir_runtime::dirs;

/// Collects all of them.
#[must_use]
pub fn collect() -> BTreeMap<String, String> {
    let mut stats = BTreeMap::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            stats.insert(key.to_owned(), value);
        }
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    put("cpu", std::thread::available_parallelism().ok().map(|n| n.to_string()));
    put("load_average", load_average(&read("/proc/loadavg")));
    put("memory", memory(&read("/proc/meminfo")));
    put("file_systems", file_systems(&read("/proc/self/mounts")));
    let boot = uptime_ms(&read("/proc/uptime"));
    for (name, pid) in pid_files(&dirs::rundir()) {
        put(&format!("process_{name}"), process(pid, boot));
    }
    stats
}

/// The first three numbers of `/proc/loadavg`.
fn load_average(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    Some([words.next()?, words.next()?, words.next()?].join(","))
}

/// Total, used, used for caches; total and used swap; KiB.
fn memory(text: &str) -> Option<String> {
    let of = |key: &str| -> Option<u64> {
        let line = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let (total, free) = (of("MemTotal")?, of("MemFree")?);
    let caches = of("Buffers").unwrap_or(0) + of("Cached").unwrap_or(0);
    let (swap, swap_free) = (of("SwapTotal").unwrap_or(0), of("SwapFree").unwrap_or(0));
    let used = total.saturating_sub(free);
    Some(format!("{total},{used},{caches},{swap},{}", swap.saturating_sub(swap_free)))
}

/// `MOUNT,TOTAL,USED ...` in KiB of the disks that can be written.
fn file_systems(mounts: &str) -> Option<String> {
    let described = mounts.lines().filter_map(writable_disk).filter_map(|mount| {
        let s = rustix::fs::statvfs(mount).ok()?;
        let kib = |blocks: u64| blocks.saturating_mul(s.f_frsize) / 1024;
        let used = s.f_blocks.saturating_sub(s.f_bfree);
        Some(format!("{mount},{},{}", kib(s.f_blocks), kib(used)))
    });
    let all: Vec<String> = described.collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// The mount point of a line of `/proc/self/mounts`, if it is a disk's and writable.
fn writable_disk(line: &str) -> Option<&str> {
    let mut words = line.split(' ');
    let (device, mount) = (words.next()?, words.next()?);
    let options = words.nth(1)?;
    let read_only = options.split(',').any(|o| o == "ro");
    (device.starts_with("/dev/") && !read_only).then_some(mount)
}

fn uptime_ms(text: &str) -> u64 {
    let seconds: f64 = text.split_whitespace().next().and_then(|s| s.parse().ok()).unwrap_or(0.0);
    (seconds * 1_000.0) as u64
}

/// The daemons that say so in a directory, by name.
fn pid_files(dir: &Path) -> Vec<(String, u32)> {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<(String, u32)> = files
        .filter_map(|file| {
            let name = file.file_name().to_str()?.strip_suffix(".pid")?.to_owned();
            let pid = fs::read_to_string(file.path()).ok()?.trim().parse().ok()?;
            Some((name, pid))
        })
        .collect();
    found.sort();
    found
}

/// What `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// User and system time, clock ticks.
    cpu_ticks: u64,
    /// When it was started, clock ticks after the machine.
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
    /// The processor it was last on.
    processor: u32,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The program's name may have spaces and brackets in it.
        let (_, rest) = text.rsplit_once(')')?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| words.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(number(1)?).ok()?,
            cpu_ticks: number(11)? + number(12)?,
            start_ticks: number(19)?,
            virtual_bytes: number(20)?,
            resident_pages: number(21)?,
            processor: u32::try_from(number(36)?).ok()?,
        })
    }
}

/// Virtual and resident KiB, CPU milliseconds, crashes, milliseconds since it was first and last
/// started, processor.
fn process(pid: u32, uptime_ms: u64) -> Option<String> {
    let stat_of = |pid: u32| Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?);
    let stat = stat_of(pid)?;
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let ms = |t: u64| t.saturating_mul(1_000) / ticks;
    let page_kib = rustix::param::page_size() as u64 / 1024;
    let age = |s: &Stat| uptime_ms.saturating_sub(ms(s.start_ticks));
    // The daemon's monitor, if it has one, tells in its title how often it had to start it anew.
    let title = fs::read(format!("/proc/{}/cmdline", stat.parent)).unwrap_or_default();
    let title = String::from_utf8_lossy(&title).replace('\0', " ");
    let monitor = stat_of(stat.parent).filter(|_| title.contains("monitoring pid"));
    Some(format!(
        "{},{},{},{},{},{},{}",
        stat.virtual_bytes / 1024,
        stat.resident_pages * page_kib,
        ms(stat.cpu_ticks),
        crashes(&title),
        age(monitor.as_ref().unwrap_or(&stat)),
        age(&stat),
        stat.processor,
    ))
}

/// The number before ` crashes` in a monitor's title.
fn crashes(title: &str) -> u32 {
    let before = title.split(" crashes").next().filter(|b| b.len() != title.len());
    let digits = before.and_then(|b| b.rsplit(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|d| d.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_caches_and_swap() {
        let text = "MemTotal:  1000 kB\nMemFree: 300 kB\nBuffers: 50 kB\nCached: 150 kB\n\
                    SwapCached: 1 kB\nSwapTotal: 20 kB\nSwapFree: 5 kB\n";
        assert_eq!(memory(text).as_deref(), Some("1000,700,200,20,15"));
        assert_eq!(memory("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn a_process_whose_name_is_odd() {
        let rest = "S 7 1 1 0 -1 4194304 101 0 1 0 30 12 0 0 20 0 1 0 500 8192 3 1 2 3 4 5 0 0 \
                    0 0 0 0 0 0 17 1 0";
        let stat = Stat::parse(&format!("42 (a) b) {rest}")).unwrap();
        let want = Stat {
            parent: 7,
            cpu_ticks: 42,
            start_ticks: 500,
            virtual_bytes: 8192,
            resident_pages: 3,
            processor: 1,
        };
        assert_eq!(stat, want);
        assert_eq!(crashes("ovs-vswitchd: monitoring pid 9 (2 crashes: killed)"), 2);
        assert_eq!(crashes("ovs-vswitchd: monitoring pid 9 (healthy)"), 0);
    }

    #[test]
    fn only_disks_that_can_be_written() {
        assert_eq!(writable_disk("/dev/sda1 /home ext4 rw,relatime 0 0"), Some("/home"));
        assert_eq!(writable_disk("/dev/sr0 /cd iso9660 ro,relatime 0 0"), None);
        assert_eq!(writable_disk("proc /proc proc rw 0 0"), None);
        assert_eq!(load_average("0.50 1.00 2.00 1/9 3").as_deref(), Some("0.50,1.00,2.00"));
    }

    #[test]
    fn this_machine_has_all_of_them() {
        let stats = collect();
        assert!(stats.contains_key("cpu") && stats.contains_key("memory"), "{stats:?}");
        let own =
            process(std::process::id(), uptime_ms(&fs::read_to_string("/proc/uptime").unwrap()));
        assert_eq!(own.unwrap().split(',').count(), 7);
    }
}
