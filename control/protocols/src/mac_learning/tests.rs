//! Tests of the MAC table: rules one by one, then invariants under random use.

use super::*;
use proptest::prelude::*;

fn at(n: u8) -> Station {
    Station { vlan: 0, mac: [2, 0, 0, 0, 0, n] }
}

fn seen(n: u8, port: u32) -> Sighting<u32> {
    Sighting { station: at(n), port, bond: false, gratuitous_arp: false }
}

#[test]
fn learns_moves_and_ages() {
    let mut t = MacTable::new();
    assert_eq!(t.learn(&seen(1, 7), 0), Change::New);
    assert!(!t.needs_update(&seen(1, 7), 999) && t.needs_update(&seen(1, 7), 1000));
    assert!(t.needs_update(&seen(1, 8), 1));
    assert_eq!(t.learn(&seen(1, 8), 2000), Change::Moved);
    assert_eq!(t.lookup(at(1)), Some(8));
    assert_eq!(t.get(at(1), 4500).unwrap().age, Age::Secs(2));
    assert_eq!(t.poll_at(), Some(302_000));
    assert!(!t.expire(301_999) && t.expire(302_000) && t.is_empty());
    assert_eq!(t.stats(), Stats { learned: 1, expired: 1, evicted: 0, moved: 1 });
}

#[test]
fn group_addresses_and_flood_vlans_are_not_learned() {
    let mut t = MacTable::new();
    let group = Station { vlan: 0, mac: [1, 0, 0, 0, 0, 1] };
    assert_eq!(t.learn(&Sighting { station: group, ..seen(1, 1) }, 0), Change::None);
    t.learn(&seen(1, 1), 0);
    assert!(t.set_flood_vlans(&[0]) && !t.set_flood_vlans(&[0]));
    assert!(t.is_empty() && t.learn(&seen(1, 1), 0) == Change::None);
}

#[test]
fn static_entries_stay_where_they_are() {
    let mut t = MacTable::new();
    assert!(t.add_static(at(1), 3) && !t.add_static(at(1), 3));
    assert!(!t.needs_update(&seen(1, 9), 0));
    assert_eq!(t.learn(&seen(1, 9), 0), Change::None);
    t.flush();
    assert!(!t.expire(u64::MAX / 2));
    assert_eq!((t.lookup(at(1)), t.n_static()), (Some(3), 1));
    t.flush_port(3);
    assert!(t.is_empty() && t.n_static() == 0);
}

#[test]
fn the_port_with_most_entries_loses_its_oldest() {
    let mut t = MacTable::new();
    t.configure(300, 10);
    t.learn(&seen(100, 2), 0);
    for n in 0..20 {
        t.learn(&seen(n, 1), 1);
    }
    assert_eq!(t.len(), 10);
    assert_eq!(t.lookup(at(100)), Some(2), "the quiet port keeps its station");
    assert_eq!(t.stats().evicted, 11);
    assert_eq!(t.lookup(at(10)), None);
    assert_eq!(t.lookup(at(11)), Some(1));
}

#[test]
fn a_gratuitous_arp_locks_the_entry_against_reflections_over_a_bond() {
    let mut t = MacTable::new();
    let arp = Sighting { gratuitous_arp: true, ..seen(1, 1) };
    t.learn(&arp, 0);
    let reflected = Sighting { port: 2, bond: true, ..arp };
    assert!(!t.needs_update(&reflected, 500));
    assert_eq!(t.learn(&reflected, 4_999), Change::None);
    assert_eq!(t.learn(&reflected, 5_000), Change::Moved);
}

proptest! {
    #[test]
    fn the_indexes_agree_with_the_entries(ops in prop::collection::vec((0u8..7, any::<u8>(), 0u32..4), 0..300)) {
        let mut t = MacTable::new();
        t.configure(15, 10);
        let mut now = 0;
        for (op, n, port) in ops {
            now += u64::from(n) * 20;
            match op {
                0..=2 => { t.learn(&seen(n % 32, port), now); }
                3 => { t.add_static(at(n % 8), port); }
                4 => { t.forget(at(n % 32)); }
                5 => { t.expire(now); }
                _ => t.flush_port(port),
            }
            prop_assert!(t.len() <= 10);
            prop_assert_eq!(t.by_age.len() + t.n_static(), t.len());
            prop_assert_eq!(t.by_port.values().map(BTreeSet::len).sum::<usize>(), t.by_age.len());
            for (port, set) in &t.by_port {
                prop_assert!(t.port_sizes.contains(&(set.len(), *port)));
                for (order, s) in set {
                    prop_assert_eq!(t.entries[s].order, *order);
                    prop_assert_eq!(t.entries[s].port, *port);
                }
            }
            prop_assert_eq!(t.port_sizes.len(), t.by_port.len());
        }
    }
}
