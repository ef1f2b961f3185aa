//! MAC learning: which port each Ethernet address of each VLAN was last seen on.
//!
//! A table without I/O or clock: every call takes the time. It is bounded; when it is full, the
//! port that holds most of the table loses its least recently refreshed entry, so that a port that
//! floods the switch with addresses pushes out its own ones.
//!
//! `P` names what addresses are learned on (a port, or a bond as one).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// Seconds after which an entry that was not refreshed is forgotten.
pub const DEFAULT_IDLE_SECS: u32 = 300;
/// Entries a table holds unless it is told otherwise.
pub const DEFAULT_MAX_ENTRIES: usize = 8192;
/// How long after a gratuitous ARP a reflection of it over a bond cannot move the entry.
const GRATUITOUS_ARP_LOCK_MS: u64 = 5_000;

/// An Ethernet address in a VLAN (0 is untagged).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Station {
    /// VLAN identifier, 0 to 4095.
    pub vlan: u16,
    /// The address.
    pub mac: [u8; 6],
}

/// How long an entry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Until it is deleted.
    Static,
    /// Seconds since it was last refreshed.
    Secs(u32),
}

/// What is known of a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned<P> {
    /// Where it is.
    pub port: P,
    /// How old the knowledge is.
    pub age: Age,
}

/// What learning changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that decides where a packet goes.
    None,
    /// A station that was not known.
    New,
    /// A station that was on another port.
    Moved,
}

/// A packet's source, as the table needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<P> {
    /// Who sent it, in which VLAN.
    pub station: Station,
    /// Where it came in.
    pub port: P,
    /// Is that port a bond?
    pub bond: bool,
    /// Is the packet a gratuitous ARP?
    pub gratuitous_arp: bool,
}

/// Counters since the table was made or [`MacTable::clear_stats`] called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Stations learned.
    pub learned: u64,
    /// Forgotten because of age.
    pub expired: u64,
    /// Forgotten because the table was full.
    pub evicted: u64,
    /// Seen on another port than before.
    pub moved: u64,
}

#[derive(Clone, Debug)]
struct Entry<P> {
    port: P,
    /// Place in the order of refreshing; 0 for static entries, which have none.
    order: u64,
    refreshed_ms: u64,
    locked_until_ms: u64,
    is_static: bool,
}

/// See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct MacTable<P> {
    entries: HashMap<Station, Entry<P>>,
    /// Entries that age, the least recently refreshed first.
    by_age: BTreeSet<(u64, Station)>,
    /// The same for each port, and how many it has.
    by_port: HashMap<P, BTreeSet<(u64, Station)>>,
    port_sizes: BTreeSet<(usize, P)>,
    n_static: usize,
    next_order: u64,
    max_entries: usize,
    idle_ms: u64,
    flood_vlans: HashSet<u16>,
    stats: Stats,
}

impl<P: Copy + Ord + Hash> Default for MacTable<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Copy + Ord + Hash> MacTable<P> {
    /// An empty table with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: HashMap::new(),
            by_age: BTreeSet::new(),
            by_port: HashMap::new(),
            port_sizes: BTreeSet::new(),
            n_static: 0,
            next_order: 1,
            max_entries: DEFAULT_MAX_ENTRIES,
            idle_ms: u64::from(DEFAULT_IDLE_SECS) * 1000,
            flood_vlans: HashSet::new(),
            stats: Stats::default(),
        }
    }

    /// Sets the age limit in seconds (15 to 3600) and the size limit (10 to 1,000,000); values
    /// outside are moved to the nearest bound. True if entries were evicted for it.
    pub fn configure(&mut self, idle_secs: u32, max_entries: usize) -> bool {
        self.idle_ms = u64::from(idle_secs.clamp(15, 3600)) * 1000;
        self.max_entries = max_entries.clamp(10, 1_000_000);
        let mut evicted = false;
        while self.entries.len() > self.max_entries && self.evict() {
            evicted = true;
        }
        evicted
    }

    /// Sets the VLANs in which nothing is learned. True if that is a change; what was learned in
    /// them before is forgotten.
    pub fn set_flood_vlans(&mut self, vlans: &[u16]) -> bool {
        let new: HashSet<u16> = vlans.iter().copied().collect();
        if new == self.flood_vlans {
            return false;
        }
        self.flood_vlans = new;
        let gone = self.entries.keys().filter(|s| self.flood_vlans.contains(&s.vlan));
        for station in gone.copied().collect::<Vec<_>>() {
            self.forget(station);
        }
        true
    }

    /// May this source be learned at all? Not when it is a group address or its VLAN floods.
    #[must_use]
    pub fn may_learn(&self, station: Station) -> bool {
        station.mac[0] & 1 == 0 && !self.flood_vlans.contains(&station.vlan)
    }

    /// Would [`MacTable::learn`] do anything? Cheap enough for every packet of the slow path, with
    /// no more than shared access.
    #[must_use]
    pub fn needs_update(&self, seen: &Sighting<P>, now_ms: u64) -> bool {
        if !self.may_learn(seen.station) {
            return false;
        }
        let Some(entry) = self.entries.get(&seen.station) else { return true };
        if entry.is_static {
            return false;
        }
        if now_ms.saturating_sub(entry.refreshed_ms) >= 1000 {
            return true;
        }
        if seen.gratuitous_arp {
            if !seen.bond {
                return true;
            }
            if now_ms < entry.locked_until_ms {
                return false;
            }
        }
        entry.port != seen.port
    }

    /// Takes notice of a packet's source.
    pub fn learn(&mut self, seen: &Sighting<P>, now_ms: u64) -> Change {
        let station = seen.station;
        if !self.may_learn(station) || self.entries.get(&station).is_some_and(|e| e.is_static) {
            return Change::None;
        }
        let order = self.next_order;
        self.next_order += 1;
        let Some(old) = self.entries.get(&station).cloned() else {
            if self.entries.len() >= self.max_entries && !self.evict() {
                return Change::None;
            }
            let lock = if seen.gratuitous_arp && !seen.bond { GRATUITOUS_ARP_LOCK_MS } else { 0 };
            let entry = Entry {
                port: seen.port,
                order,
                refreshed_ms: now_ms,
                locked_until_ms: now_ms + lock,
                is_static: false,
            };
            self.insert(station, entry);
            self.stats.learned += 1;
            return Change::New;
        };
        let mut new = Entry { order, refreshed_ms: now_ms, ..old.clone() };
        let mut locked = false;
        if seen.gratuitous_arp {
            if seen.bond {
                locked = now_ms < old.locked_until_ms;
            } else {
                new.locked_until_ms = now_ms + GRATUITOUS_ARP_LOCK_MS;
            }
        }
        let moved = !locked && old.port != seen.port;
        if moved {
            new.port = seen.port;
            self.stats.moved += 1;
        }
        self.remove(station);
        self.insert(station, new);
        if moved { Change::Moved } else { Change::None }
    }

    /// Adds an entry that does not age. True if it changes where packets go.
    pub fn add_static(&mut self, station: Station, port: P) -> bool {
        let old = self.remove(station);
        if old.is_none() && self.entries.len() >= self.max_entries && !self.evict() {
            return false;
        }
        let entry = Entry { port, order: 0, refreshed_ms: 0, locked_until_ms: 0, is_static: true };
        self.insert(station, entry);
        old.is_none_or(|e| e.port != port)
    }

    /// Where is the station?
    #[must_use]
    pub fn lookup(&self, station: Station) -> Option<P> {
        if self.flood_vlans.contains(&station.vlan) {
            return None;
        }
        self.entries.get(&station).map(|e| e.port)
    }

    /// What is known of the station.
    #[must_use]
    pub fn get(&self, station: Station, now_ms: u64) -> Option<Learned<P>> {
        self.entries.get(&station).map(|e| e.learned(now_ms))
    }

    /// Forgets one station. True if it was known.
    pub fn forget(&mut self, station: Station) -> bool {
        self.remove(station).is_some()
    }

    /// Forgets everything learned, but not what is static.
    pub fn flush(&mut self) {
        let learned: Vec<_> = self.by_age.iter().map(|(_, s)| *s).collect();
        for station in learned {
            self.forget(station);
        }
    }

    /// Forgets all stations of a port, static ones too.
    pub fn flush_port(&mut self, port: P) {
        let of_port = self.entries.iter().filter(|(_, e)| e.port == port).map(|(s, _)| *s);
        for station in of_port.collect::<Vec<_>>() {
            self.forget(station);
        }
    }

    /// Forgets what is too old. True if anything was.
    pub fn expire(&mut self, now_ms: u64) -> bool {
        let mut any = false;
        while let Some(&(_, station)) = self.by_age.first() {
            let due = self.entries.get(&station).map_or(0, |e| e.refreshed_ms + self.idle_ms);
            if now_ms < due {
                break;
            }
            self.forget(station);
            self.stats.expired += 1;
            any = true;
        }
        any
    }

    /// When [`MacTable::expire`] will next have work.
    #[must_use]
    pub fn poll_at(&self) -> Option<u64> {
        let (_, station) = self.by_age.first()?;
        self.entries.get(station).map(|e| e.refreshed_ms + self.idle_ms)
    }

    /// All entries, the most recently refreshed last, static ones first.
    #[must_use]
    pub fn list(&self, now_ms: u64) -> Vec<(Station, Learned<P>)> {
        let fixed = self.entries.iter().filter(|(_, e)| e.is_static).map(|(s, _)| *s);
        let mut fixed: Vec<_> = fixed.collect();
        fixed.sort_unstable();
        let order = fixed.into_iter().chain(self.by_age.iter().map(|(_, s)| *s));
        order.filter_map(|s| Some((s, self.get(s, now_ms)?))).collect()
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is the table empty?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of static entries.
    #[must_use]
    pub fn n_static(&self) -> usize {
        self.n_static
    }

    /// Most entries it will hold.
    #[must_use]
    pub fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Zeroes the counters.
    pub fn clear_stats(&mut self) {
        self.stats = Stats::default();
    }

    fn insert(&mut self, station: Station, entry: Entry<P>) {
        if entry.is_static {
            self.n_static += 1;
        } else {
            self.by_age.insert((entry.order, station));
            let of_port = self.by_port.entry(entry.port).or_default();
            self.port_sizes.remove(&(of_port.len(), entry.port));
            of_port.insert((entry.order, station));
            self.port_sizes.insert((of_port.len(), entry.port));
        }
        self.entries.insert(station, entry);
    }

    fn remove(&mut self, station: Station) -> Option<Entry<P>> {
        let entry = self.entries.remove(&station)?;
        if entry.is_static {
            self.n_static -= 1;
            return Some(entry);
        }
        self.by_age.remove(&(entry.order, station));
        if let Some(of_port) = self.by_port.get_mut(&entry.port) {
            self.port_sizes.remove(&(of_port.len(), entry.port));
            of_port.remove(&(entry.order, station));
            if of_port.is_empty() {
                self.by_port.remove(&entry.port);
            } else {
                self.port_sizes.insert((of_port.len(), entry.port));
            }
        }
        Some(entry)
    }

    /// Makes room by the rule of the module documentation. False if all entries are static.
    fn evict(&mut self) -> bool {
        let fullest = self.port_sizes.last().and_then(|(_, port)| self.by_port.get(port));
        let Some(&(_, station)) = fullest.and_then(BTreeSet::first) else { return false };
        self.forget(station);
        self.stats.evicted += 1;
        true
    }
}

impl<P: Copy> Entry<P> {
    fn learned(&self, now_ms: u64) -> Learned<P> {
        let secs = now_ms.saturating_sub(self.refreshed_ms) / 1000;
        let age = if self.is_static {
            Age::Static
        } else {
            Age::Secs(u32::try_from(secs).unwrap_or(u32::MAX))
        };
        Learned { port: self.port, age }
    }
}

#[cfg(test)]
mod tests;
