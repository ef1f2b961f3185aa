//! Device arguments: what `options:dpdk-devargs` holds.
//!
//! Three forms, as OVS has them: a PCI address with optional driver arguments (`0000:01:00.0`,
//! `0000:01:00.0,representor=[1]`), a virtual device (`net_null0,no-rx=1`), and
//! `class=eth,mac=00:11:22:33:44:55` for a port that is already probed. Only the shape is checked
//! here; what the arguments mean is the driver's business.

use crate::error::DpdkError;

/// Checked device arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devargs {
    text: String,
    kind: Kind,
}

/// What kind of device is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A PCI function, by its full address `dddd:bb:dd.f`.
    Pci(String),
    /// A virtual device, by its name (`net_null0`).
    Vdev(String),
    /// A port that is there already, by its MAC address.
    Mac([u8; 6]),
    /// Another bus, named in front (`bus=...` or `auxiliary:mlx5_core.sf.8`).
    Other(String),
}

/// Longest text that is handed to DPDK.
const MAX_LEN: usize = 1024;

impl Devargs {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`DpdkError::BadDevargs`] with the reason.
    pub fn parse(text: &str) -> Result<Self, DpdkError> {
        let text = text.trim();
        let kind = kind_of(text)
            .map_err(|reason| DpdkError::BadDevargs { devargs: text.to_owned(), reason })?;
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The text for DPDK.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind and name of the device.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The name the Ethernet port will have, when it follows from the arguments. Ports of one PCI
    /// function beyond the first, and representors, have longer names.
    #[must_use]
    pub fn port_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Vdev(name) => Some(name),
            Kind::Pci(address) if !self.text.contains("representor") => Some(address),
            Kind::Pci(_) | Kind::Mac(_) | Kind::Other(_) => None,
        }
    }

    /// What to check when the device could not be attached.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self.kind {
            Kind::Pci(_) => {
                "check that lspci shows the address and that the device is bound to vfio-pci \
                 (dpdk-devbind.py --status)"
            }
            Kind::Vdev(_) => {
                "check the driver name (net_pcap0, net_null0, net_ring0, net_af_packet0, \
                 net_af_xdp0, net_memif0 ...), its arguments and the files or interfaces they name"
            }
            Kind::Mac(_) => {
                "check the MAC address and that the device was probed at start \
                 (other_config:dpdk-probe-at-init=true)"
            }
            Kind::Other(_) => "check the bus name and the device name on that bus",
        }
    }
}

impl std::fmt::Display for Devargs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn kind_of(text: &str) -> Result<Kind, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > MAX_LEN {
        return Err("it is longer than 1024 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err("it holds control characters");
    }
    if let Some(rest) = text.strip_prefix("class=eth,mac=") {
        return parse_mac(rest).map(Kind::Mac).ok_or("mac= wants six hexadecimal bytes");
    }
    let device = text.split(',').next().unwrap_or(text);
    let (bus, name) = match device.split_once(':') {
        Some((bus @ ("pci" | "vdev"), name)) => (bus, name),
        _ => ("", device),
    };
    if bus != "vdev"
        && let Some(address) = parse_pci(name)
    {
        return Ok(Kind::Pci(address));
    }
    if bus == "pci" {
        return Err("the PCI address is not of the form [domain:]bus:device.function");
    }
    if device.starts_with("bus=") || device.starts_with("class=") {
        return Ok(Kind::Other(device.to_owned()));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if bus == "vdev" || name.starts_with("net_") || name.starts_with("eth_") {
        if !name.chars().all(word) || name.len() >= dpdk_sys::RTE_ETH_NAME_MAX_LEN as usize {
            return Err(
                "a virtual device's name has letters, digits, '_', '-' and at most 63 bytes",
            );
        }
        return Ok(Kind::Vdev(name.to_owned()));
    }
    match device.split_once(':') {
        Some((bus, name))
            if !bus.is_empty()
                && !name.is_empty()
                && bus.chars().all(|c| c.is_ascii_alphabetic()) =>
        {
            Ok(Kind::Other(device.to_owned()))
        }
        _ => Err("it is neither a PCI address nor a virtual device (net_...) nor class=eth,mac="),
    }
}

/// The full form of a PCI address; the domain may be left out.
fn parse_pci(text: &str) -> Option<String> {
    let hex = |part: &str, max_len: usize| {
        let digits = part.chars().all(|c| c.is_ascii_hexdigit());
        (!part.is_empty() && part.len() <= max_len && digits)
            .then(|| u32::from_str_radix(part, 16).ok())
            .flatten()
    };
    let (rest, function) = text.rsplit_once('.')?;
    let mut parts = rest.rsplit(':');
    let device = hex(parts.next()?, 2)?;
    let bus = hex(parts.next()?, 2)?;
    let domain = parts.next().map_or(Some(0), |part| hex(part, 8))?;
    let function = hex(function, 1)?;
    (parts.next().is_none() && device < 32 && function < 8)
        .then(|| format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}"))
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut mac {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 2 || !part.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        Devargs::parse(text).unwrap().kind().clone()
    }

    #[test]
    fn kinds() {
        let pci = Kind::Pci("0000:01:00.0".into());
        assert_eq!(kind("0000:01:00.0"), pci);
        assert_eq!(kind("1:0.0,representor=[1]"), pci);
        assert_eq!(kind("pci:01:00.0"), pci);
        assert_eq!(kind(" net_null0,no-rx=1"), Kind::Vdev("net_null0".into()));
        assert_eq!(kind("eth_af_packet0,iface=v0"), Kind::Vdev("eth_af_packet0".into()));
        assert_eq!(
            kind("class=eth,mac=00:11:22:33:44:5f"),
            Kind::Mac([0, 0x11, 0x22, 0x33, 0x44, 0x5f])
        );
        assert_eq!(
            kind("auxiliary:mlx5_core.sf.8"),
            Kind::Other("auxiliary:mlx5_core.sf.8".into())
        );
    }

    #[test]
    fn bad_ones_are_told_why() {
        for bad in
            ["", "dpdk0", "class=eth,mac=00:11", "pci:zz", "net_null\n0", "net_nu;ll", "0:0:40.0"]
        {
            let error = Devargs::parse(bad).unwrap_err();
            assert!(matches!(error, DpdkError::BadDevargs { .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn port_names() {
        assert_eq!(Devargs::parse("net_pcap3,rx_pcap=f").unwrap().port_name(), Some("net_pcap3"));
        assert_eq!(Devargs::parse("1:0.0").unwrap().port_name(), Some("0000:01:00.0"));
        assert_eq!(Devargs::parse("1:0.0,representor=[1]").unwrap().port_name(), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text: String, pci in "[0-9a-f:.]{0,16}", mac in "[0-9a-fx:]{0,20}") {
            let _ = Devargs::parse(&text);
            let _ = Devargs::parse(&format!("class=eth,mac={mac}"));
            let parsed = Devargs::parse(&pci);
            if let Some(name) = parsed.ok().and_then(|d| d.port_name().map(str::to_owned)) {
                // The full address names the same device.
                let again = Devargs::parse(&name).unwrap();
                proptest::prop_assert_eq!(again.port_name(), Some(&*name));
            }
        }
    }
}
