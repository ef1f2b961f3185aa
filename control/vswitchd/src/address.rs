//! A bridge's own Ethernet address and its datapath ID.

use weir_ovsdb::Uuid;

/// What may give a bridge its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The interface's address.
    pub mac: [u8; 6],
    /// Is it the bridge's own port or another internal one?
    pub internal: bool,
}

/// The configured address, else the lowest one of its ports that is not internal and that a maker
/// of network cards assigned, else `fallback`.
#[must_use]
pub fn bridge_mac(
    configured: Option<[u8; 6]>,
    candidates: &[Candidate],
    fallback: [u8; 6],
) -> [u8; 6] {
    /// Neither for groups nor chosen by an administrator or at random.
    const ASSIGNED: u8 = 0;
    let usable = |m: &[u8; 6]| m[0] & 3 == ASSIGNED && *m != [0; 6];
    let lowest = candidates.iter().filter(|c| !c.internal).map(|c| c.mac).filter(usable).min();
    configured.or(lowest).unwrap_or(fallback)
}

/// The configured ID, else the bridge's address in the low 48 bits.
#[must_use]
pub fn datapath_id(configured: Option<u64>, mac: [u8; 6]) -> u64 {
    configured.unwrap_or_else(|| mac.iter().fold(0, |id, b| (id << 8) | u64::from(*b)))
}

/// A bridge's address while no port of it has one to give: from its row's UUID, so that it stays the
/// same over restarts, with the bytes where OVS on x86 has them.
#[must_use]
pub fn default_mac(bridge: Uuid) -> [u8; 6] {
    let u = bridge.as_bytes();
    [(u[3] & !1) | 2, u[2], u[1], u[0], u[7], u[6]]
}

/// A random address: locally administered, not multicast.
#[must_use]
pub fn random_mac() -> [u8; 6] {
    let bytes = Uuid::new_v4().into_bytes();
    let mut mac = [0; 6];
    mac.copy_from_slice(&bytes[..6]);
    mac[0] = (mac[0] & !1) | 2;
    mac
}

/// `aa:bb:cc:dd:ee:ff`
#[must_use]
pub fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_address_of_a_real_port_wins_unless_one_is_configured() {
        let c = |last, internal| Candidate { mac: [0, 0, 0, 0, 0, last], internal };
        let local = Candidate { mac: [2, 0, 0, 0, 0, 1], internal: false };
        let all = [c(1, true), c(9, false), c(5, false), local];
        assert_eq!(bridge_mac(None, &all, [2; 6])[5], 5);
        assert_eq!(bridge_mac(None, &all[..1], [2; 6]), [2; 6]);
        assert_eq!(bridge_mac(Some([6; 6]), &all, [2; 6]), [6; 6]);
        assert_eq!(datapath_id(None, [0, 1, 2, 3, 4, 5]), 0x0001_0203_0405);
        assert_eq!(random_mac()[0] & 3, 2);
        // As Open vSwitch 3.1 chose for this row.
        let row = Uuid::try_parse("82b53d4d-362a-4e22-bdea-0ac17d60d15d").unwrap();
        assert_eq!(mac_text(default_mac(row)), "4e:3d:b5:82:22:4e");
    }
}
