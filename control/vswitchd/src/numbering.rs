//! Which numbers ports get: OpenFlow numbers, which stay over restarts, and datapath numbers.

use std::collections::{BTreeMap, BTreeSet};

use weir_flow::PortNo;
use weir_openflow::OfPort;

/// The last number that is given to a port that asks for none; higher ones are left to requests.
const LAST_AUTOMATIC: u16 = 0x7fff;

/// An interface that needs an OpenFlow number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Its name.
    pub name: &'a str,
    /// The number it asks for.
    pub request: Option<OfPort>,
    /// The number it has, or had before the switch was restarted.
    pub former: Option<OfPort>,
}

/// Gives each interface of a bridge a number. The bridge's own port is `LOCAL`. Requests win, in
/// the order of the claims; then former numbers; what is left gets the next free number after
/// `next`, so that a number is not soon given to another interface.
pub fn assign_ofports<'a>(
    bridge: &str,
    claims: &[Claim<'a>],
    next: &mut u16,
) -> BTreeMap<&'a str, OfPort> {
    let mut taken = BTreeSet::new();
    let mut out = BTreeMap::new();
    for claim in claims.iter().filter(|c| c.name == bridge) {
        out.insert(claim.name, OfPort::LOCAL);
    }
    let wishes: [fn(&Claim<'_>) -> Option<OfPort>; 2] = [|c| c.request, |c| c.former];
    for wish in wishes {
        for claim in claims {
            let Some(port) = wish(claim).filter(|p| *p < OfPort::MAX) else { continue };
            // A port that asked for another number does not keep the former one.
            if !out.contains_key(claim.name) && taken.insert(port) {
                out.insert(claim.name, port);
            }
        }
    }
    for claim in claims {
        if out.contains_key(claim.name) {
            continue;
        }
        if let Some(port) = next_free(&taken, next) {
            taken.insert(port);
            out.insert(claim.name, port);
        }
    }
    out
}

fn next_free(taken: &BTreeSet<OfPort>, next: &mut u16) -> Option<OfPort> {
    for _ in 0..LAST_AUTOMATIC {
        let candidate = OfPort((*next).clamp(1, LAST_AUTOMATIC));
        *next = if candidate.0 == LAST_AUTOMATIC { 1 } else { candidate.0 + 1 };
        if !taken.contains(&candidate) {
            return Some(candidate);
        }
    }
    (LAST_AUTOMATIC + 1..OfPort::MAX.0).map(OfPort).find(|p| !taken.contains(p))
}

/// The datapath number of a new port. Under `dummy` it follows from the digits of the name (100
/// more for bridges), so that tests can foresee it; else it is the lowest free one.
pub fn choose_dp_port(
    name: &str,
    dummy: bool,
    is_taken: impl Fn(PortNo) -> bool,
) -> Option<PortNo> {
    if dummy {
        let base = if name.starts_with("br") { 100 } else { 0 };
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let wanted = digits[..end].parse().ok().map(|n: u32| PortNo(base + n));
        if let Some(port) = wanted.filter(|p| p.0 > 0 && p.0 < 0xffff && !is_taken(*p)) {
            return Some(port);
        }
    }
    (1..0xffff).map(PortNo).find(|p| !is_taken(*p))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, request: Option<u16>, former: Option<u16>) -> Claim<'_> {
        Claim { name, request: request.map(OfPort), former: former.map(OfPort) }
    }

    #[test]
    fn requests_win_over_former_numbers_and_those_over_new_ones() {
        let claims = [
            claim("br0", None, None),
            claim("a", None, Some(5)),
            claim("b", Some(5), Some(1)),
            claim("c", None, None),
            claim("d", None, Some(7)),
        ];
        let mut next = 1;
        let got = assign_ofports("br0", &claims, &mut next);
        assert_eq!(got["br0"], OfPort::LOCAL);
        assert_eq!(got["b"], OfPort(5));
        assert_eq!(got["d"], OfPort(7));
        assert_eq!((got["a"], got["c"]), (OfPort(1), OfPort(2)));
    }

    #[test]
    fn numbers_are_not_reused_at_once() {
        let mut next = 1;
        assert_eq!(assign_ofports("br0", &[claim("a", None, None)], &mut next)["a"], OfPort(1));
        assert_eq!(assign_ofports("br0", &[claim("b", None, None)], &mut next)["b"], OfPort(2));
        next = LAST_AUTOMATIC;
        let claims = [claim("c", None, None), claim("d", None, None)];
        let got = assign_ofports("br0", &claims, &mut next);
        assert_eq!((got["c"], got["d"]), (OfPort(LAST_AUTOMATIC), OfPort(1)));
    }

    #[test]
    fn dummy_ports_are_numbered_after_their_names() {
        let free = |_| false;
        assert_eq!(choose_dp_port("p7", true, free), Some(PortNo(7)));
        assert_eq!(choose_dp_port("br0", true, free), Some(PortNo(100)));
        assert_eq!(choose_dp_port("p7", true, |p| p == PortNo(7)), Some(PortNo(1)));
        assert_eq!(choose_dp_port("eth7", false, free), Some(PortNo(1)));
        assert_eq!(choose_dp_port("x", true, free), Some(PortNo(1)));
    }
}
