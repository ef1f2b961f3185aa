//! What a device is and can do.

use std::ffi::{CStr, c_char};

use dpdk_sys::{rte_device, rte_eth_dev_info};

use crate::error::{DpdkError, Errno};

/// A device's description, as its driver gives it. Not all drivers know all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevInfo {
    /// Driver, for instance `net_ixgbe`.
    pub driver_name: String,
    /// Bus, for instance `pci` or `vdev`.
    pub bus_name: String,
    /// The bus's own text, for instance `vendor_id=8086, device_id=1563`; empty when it has none.
    pub bus_info: String,
    /// The kernel's interface index for drivers beside a kernel device, else 0.
    pub if_index: u32,
    /// Smallest and largest MTU.
    pub min_mtu: u16,
    /// See `min_mtu`.
    pub max_mtu: u16,
    /// Smallest receive buffer in bytes, headroom left out.
    pub min_rx_bufsize: u32,
    /// Longest frame in bytes.
    pub max_rx_pktlen: u32,
    /// Most receive queues.
    pub max_rx_queues: u16,
    /// Most transmit queues.
    pub max_tx_queues: u16,
    /// Most MAC addresses.
    pub max_mac_addrs: u32,
    /// Most MAC addresses by hash filter.
    pub max_hash_mac_addrs: u32,
    /// Most virtual functions.
    pub max_vfs: u16,
    /// Most VMDq pools.
    pub max_vmdq_pools: u16,
    /// Receive descriptors of a queue.
    pub rx_desc: DescLimits,
    /// Transmit descriptors of a queue.
    pub tx_desc: DescLimits,
    /// Offloads on reception ([`offload::dev_rx`](crate::offload::dev_rx)).
    pub rx_capa: u64,
    /// Offloads on transmission ([`offload::dev_tx`](crate::offload::dev_tx)).
    pub tx_capa: u64,
    /// Hash functions for receive-side scaling (`RTE_ETH_RSS_*`).
    pub rss_capa: u64,
}

/// How many descriptors a ring can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescLimits {
    /// Fewest.
    pub min: u16,
    /// Most.
    pub max: u16,
    /// The number must be a multiple of this.
    pub align: u16,
}

impl DescLimits {
    /// The nearest number of descriptors that fits: rounded up to the alignment, then clamped.
    #[must_use]
    pub fn clamp(self, wanted: u16) -> u16 {
        let align = self.align.max(1);
        let aligned = wanted.checked_next_multiple_of(align).unwrap_or(u16::MAX / align * align);
        let max = if self.max == 0 { u16::MAX } else { self.max };
        aligned.max(self.min).min(max / align * align).max(1)
    }
}

impl From<dpdk_sys::rte_eth_desc_lim> for DescLimits {
    fn from(limits: dpdk_sys::rte_eth_desc_lim) -> Self {
        Self { min: limits.nb_min, max: limits.nb_max, align: limits.nb_align }
    }
}

/// DPDK's description of a port.
pub(crate) fn raw_info(port: u16, name: &str) -> Result<rte_eth_dev_info, DpdkError> {
    let mut info = rte_eth_dev_info::default();
    // SAFETY: fills the structure, or answers an error for ports that do not exist.
    let error = unsafe { dpdk_sys::rte_eth_dev_info_get(port, &raw mut info) };
    if error == 0 {
        Ok(info)
    } else {
        let device = name.to_owned();
        let cause = Errno::from_return(error);
        Err(DpdkError::Device { device, operation: "reading device information", cause })
    }
}

/// The static text that DPDK keeps for a device, or nothing.
///
/// # Safety
/// `text` must be null or a NUL-terminated string that stays for the call.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by contract.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The bus of a device: its name, and its text about the device.
///
/// # Safety
/// `device` must be a device of a port that cannot go away during the call.
unsafe fn bus(device: *const rte_device) -> (String, String) {
    if device.is_null() {
        return (String::new(), String::new());
    }
    // SAFETY: a live device; the bus of a device is static.
    let bus = unsafe { dpdk_sys::rte_dev_bus(device) };
    let name = if bus.is_null() {
        std::ptr::null()
    } else {
        // SAFETY: a static bus.
        unsafe { dpdk_sys::rte_bus_name(bus) }
    };
    // SAFETY: a live device.
    let info = unsafe { dpdk_sys::rte_dev_bus_info(device) };
    // SAFETY: static text.
    let name = unsafe { text(name) };
    // SAFETY: text that lives with the device.
    (name, unsafe { text(info) })
}

impl DevInfo {
    /// # Safety
    /// `raw` must come from a port that cannot go away during the call.
    pub(crate) unsafe fn from_raw(raw: &rte_eth_dev_info) -> Self {
        // SAFETY: by contract.
        let (bus_name, bus_info) = unsafe { bus(raw.device) };
        // SAFETY: static text of the driver.
        let driver_name = unsafe { text(raw.driver_name) };
        Self {
            driver_name,
            bus_name,
            bus_info,
            if_index: raw.if_index,
            min_mtu: raw.min_mtu,
            max_mtu: raw.max_mtu,
            min_rx_bufsize: raw.min_rx_bufsize,
            max_rx_pktlen: raw.max_rx_pktlen,
            max_rx_queues: raw.max_rx_queues,
            max_tx_queues: raw.max_tx_queues,
            max_mac_addrs: raw.max_mac_addrs,
            max_hash_mac_addrs: raw.max_hash_mac_addrs,
            max_vfs: raw.max_vfs,
            max_vmdq_pools: raw.max_vmdq_pools,
            rx_desc: raw.rx_desc_lim.into(),
            tx_desc: raw.tx_desc_lim.into(),
            rx_capa: raw.rx_offload_capa,
            tx_capa: raw.tx_offload_capa,
            rss_capa: raw.flow_type_rss_offloads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_rounded_and_clamped() {
        let limits = DescLimits { min: 64, max: 4096, align: 32 };
        let cases = [(0, 64), (65, 96), (2048, 2048), (5000, 4096), (u16::MAX, 4096)];
        for (wanted, got) in cases {
            assert_eq!(limits.clamp(wanted), got, "{wanted}");
        }
        assert_eq!(DescLimits { min: 0, max: 0, align: 0 }.clamp(77), 77);
        assert_eq!(DescLimits { min: 0, max: u16::MAX, align: 1 }.clamp(0), 1);
    }
}
