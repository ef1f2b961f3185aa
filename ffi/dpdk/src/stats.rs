//! Device counters.

use std::ffi::CStr;

use dpdk_sys::{rte_eth_stats, rte_eth_xstat, rte_eth_xstat_name};

use crate::error::{DpdkError, Errno};
use crate::ethdev::EthDev;

/// The counters every driver has, since start or the last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes received, CRC left out.
    pub rx_bytes: u64,
    /// Bytes sent, CRC left out.
    pub tx_bytes: u64,
    /// Packets the device dropped because no descriptor was free (the switch was too slow).
    pub rx_missed: u64,
    /// Damaged packets received.
    pub rx_errors: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
    /// Times that the mempool had no buffer for a packet.
    pub rx_no_mbuf: u64,
}

impl EthDev {
    /// The common counters.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn stats(&self) -> Result<Stats, DpdkError> {
        let mut raw = rte_eth_stats::default();
        // SAFETY: fills the structure.
        let error = unsafe { dpdk_sys::rte_eth_stats_get(self.port_id(), &raw mut raw) };
        self.check("reading statistics", error)?;
        Ok(Stats {
            rx_packets: raw.ipackets,
            tx_packets: raw.opackets,
            rx_bytes: raw.ibytes,
            tx_bytes: raw.obytes,
            rx_missed: raw.imissed,
            rx_errors: raw.ierrors,
            tx_errors: raw.oerrors,
            rx_no_mbuf: raw.rx_nombuf,
        })
    }

    /// The driver's extended counters by name, for instance `rx_good_packets`.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn xstats(&self) -> Result<Vec<(String, u64)>, DpdkError> {
        const WHAT: &str = "reading extended statistics";
        // SAFETY: asks for the number only.
        let n =
            unsafe { dpdk_sys::rte_eth_xstats_get_names(self.port_id(), std::ptr::null_mut(), 0) };
        let n = u32::try_from(n).map_err(|_| self.error(WHAT, Errno::from_return(n)))?;
        let mut names = vec![rte_eth_xstat_name::default(); n as usize];
        let mut values = vec![rte_eth_xstat::default(); n as usize];
        // SAFETY: room for n.
        let got =
            unsafe { dpdk_sys::rte_eth_xstats_get_names(self.port_id(), names.as_mut_ptr(), n) };
        let n_names =
            usize::try_from(got).map_err(|_| self.error(WHAT, Errno::from_return(got)))?;
        // SAFETY: room for n.
        let got = unsafe { dpdk_sys::rte_eth_xstats_get(self.port_id(), values.as_mut_ptr(), n) };
        let n_values =
            usize::try_from(got).map_err(|_| self.error(WHAT, Errno::from_return(got)))?;
        values.truncate(n_values);
        names.truncate(n_names);
        let name = |raw: &rte_eth_xstat_name| {
            let bytes = raw.name.map(|byte| byte as u8);
            CStr::from_bytes_until_nul(&bytes)
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        Ok(values
            .iter()
            .filter_map(|raw| Some((name(names.get(usize::try_from(raw.id).ok()?)?), raw.value)))
            .collect())
    }

    /// Sets all counters to zero, as far as the driver can.
    pub fn reset_stats(&mut self) {
        // SAFETY: plain calls for a port; drivers that cannot answer an error, which loses nothing.
        unsafe { dpdk_sys::rte_eth_stats_reset(self.port_id()) };
        // SAFETY: as above.
        unsafe { dpdk_sys::rte_eth_xstats_reset(self.port_id()) };
    }
}
