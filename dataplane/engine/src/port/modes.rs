//! [`LinkModes`]: what a wire can carry, in OpenFlow's bits.

use netdev_linux::LinkSettings;

/// Speeds and media as OpenFlow 1.1 and later number them (`OFPPF_*`); empty when not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the OpenFlow structure")]
pub struct LinkModes {
    pub current: u32,
    pub advertised: u32,
    pub supported: u32,
    pub peer: u32,
}

const COPPER: u32 = 1 << 11;
const FIBER: u32 = 1 << 12;
const AUTONEG: u32 = 1 << 13;
const PAUSE: u32 = 1 << 14;
const PAUSE_ASYM: u32 = 1 << 15;
/// A speed that OpenFlow has no bit for.
const OTHER: u32 = 1 << 10;

/// `PORT_TP` and `PORT_FIBRE` of `linux/ethtool.h`.
const PORT_TP: u8 = 0;
const PORT_FIBRE: u8 = 3;

/// OpenFlow's bit of each link mode of `linux/ethtool.h` that it can tell.
const MODES: &[(usize, u32)] = &[
    (0, 1 << 0),
    (1, 1 << 1),
    (2, 1 << 2),
    (3, 1 << 3),
    (4, 1 << 4),
    (5, 1 << 5),
    (6, AUTONEG),
    (7, COPPER),
    (10, FIBER),
    (12, 1 << 6),
    (13, PAUSE),
    (14, PAUSE_ASYM),
    (17, 1 << 5),
    (18, 1 << 6),
    (19, 1 << 6),
    (20, 1 << 6),
    (23, 1 << 7),
    (24, 1 << 7),
    (25, 1 << 7),
    (26, 1 << 7),
    (36, 1 << 8),
    (37, 1 << 8),
    (38, 1 << 8),
    (39, 1 << 8),
    (41, 1 << 5),
    (42, 1 << 6),
    (43, 1 << 6),
    (44, 1 << 6),
    (45, 1 << 6),
    (46, 1 << 6),
];

/// OpenFlow's bit for a link of this speed.
pub(crate) fn speed_bit(mbps: u32, full_duplex: bool) -> u32 {
    match (mbps, full_duplex) {
        (10, false) => 1 << 0,
        (10, true) => 1 << 1,
        (100, false) => 1 << 2,
        (100, true) => 1 << 3,
        (1_000, false) => 1 << 4,
        (1_000, true) => 1 << 5,
        (10_000, _) => 1 << 6,
        (40_000, _) => 1 << 7,
        (100_000, _) => 1 << 8,
        (1_000_000, _) => 1 << 9,
        _ => OTHER,
    }
}

impl LinkModes {
    /// Reads what ethtool says of a device.
    pub(crate) fn of(settings: &LinkSettings) -> Self {
        let bits = |mask: &[u32]| {
            let there = MODES.iter().filter(|(mode, _)| LinkSettings::has(mask, *mode));
            there.fold(0, |bits, (_, bit)| bits | bit)
        };
        let Some(mbps) = settings.speed_mbps else {
            return Self { supported: bits(&settings.supported), ..Self::default() };
        };
        let medium = match settings.port {
            PORT_TP => COPPER,
            PORT_FIBRE => FIBER,
            _ => 0,
        };
        let autoneg = if settings.autoneg { AUTONEG } else { 0 };
        let full = settings.full_duplex != Some(false);
        Self {
            current: speed_bit(mbps, full) | medium | autoneg,
            advertised: bits(&settings.advertising),
            supported: bits(&settings.supported),
            peer: bits(&settings.peer_advertising),
        }
    }

    /// The highest speed of these bits, kbit/s.
    #[must_use]
    pub fn fastest_kbps(bits: u32) -> u32 {
        let speeds = [(9, 1_000_000), (8, 100_000), (7, 40_000), (6, 10_000), (5, 1_000)];
        let slow = [(4, 1_000), (3, 100), (2, 100), (1, 10), (0, 10)];
        let mut all = speeds.iter().chain(&slow);
        all.find(|(bit, _)| bits & (1 << bit) != 0).map_or(0, |(_, mbps)| mbps * 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copper_port_of_ten_gigabits() {
        let settings = LinkSettings {
            speed_mbps: Some(10_000),
            full_duplex: Some(true),
            supported: vec![1 << 5 | 1 << 12 | 1 << 7],
            ..LinkSettings::default()
        };
        let modes = LinkModes::of(&settings);
        assert_eq!(modes.current, 1 << 6 | COPPER);
        assert_eq!(modes.supported, 1 << 5 | 1 << 6 | COPPER);
        assert_eq!(LinkModes::fastest_kbps(modes.supported), 10_000_000);
        assert_eq!(LinkModes::fastest_kbps(0), 0);
        assert_eq!(speed_bit(25_000, true), OTHER);
    }
}
