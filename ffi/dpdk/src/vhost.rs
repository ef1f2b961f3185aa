//! vhost-user sockets over librte_vhost: the switch's end of a virtual machine's network card.
//!
//! A [`VhostDev`] is a socket. When a guest (or DPDK's `virtio_user`) connects and sets its card up, a
//! *device* appears behind it, and goes again with the guest; the socket stays and waits for the next.
//! Queues are named from the switch's side: it *receives* from the guest's transmit rings and
//! *transmits* into the guest's receive rings. Packets are copied in both directions.
//!
//! A device may go at any moment, on DPDK's own thread, while another thread polls. Both meet in the
//! ring's `busy` flag (`vhost_ring`): the device's end waits until every burst that saw the device is
//! over, and bursts that begin later see none.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use dpdk_sys::{rte_vhost_device_ops, rte_vhost_vring};

use crate::eal::Eal;
use crate::error::{DpdkError, Errno, c_string};
use crate::vhost_ring::{Direction, Rings, VhostRxQueue, VhostTxQueue};

/// Most queue pairs of a device (`VHOST_MAX_QUEUE_PAIRS`).
pub const MAX_QUEUE_PAIRS: u16 = 128;

/// A vhost-user socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VhostConfig {
    /// The socket's path.
    pub path: String,
    /// Connect to a socket that the guest's side serves, and again whenever that goes
    /// (`dpdkvhostuserclient`); else serve the socket (`dpdkvhostuser`).
    pub client: bool,
    /// Let guests use an IOMMU (`other_config:vhost-iommu-support`).
    pub iommu: bool,
    /// Let guests migrate by post-copy (`other_config:vhost-postcopy-support`).
    pub postcopy: bool,
    /// Offer checksum offload, both ways.
    pub checksum: bool,
    /// Offer TCP segmentation offload, both ways; wants `checksum`.
    pub tso: bool,
}

/// What happened to a device. Told on DPDK's vhost thread: answer quickly, take no lock that is held
/// while a [`VhostDev`] is opened or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VhostEvent {
    /// A guest has set its card up; packets can pass.
    DeviceUp {
        /// Queue pairs it has.
        queue_pairs: u16,
    },
    /// The guest has stopped its card, or is gone.
    DeviceDown,
    /// A guest enabled or disabled a ring.
    Queue {
        /// From the switch's side.
        direction: Direction,
        /// Number of the queue pair.
        queue: u16,
        /// Whether packets can pass.
        enabled: bool,
    },
    /// The connection of the socket has ended.
    ConnectionClosed,
}

/// What a listener is.
pub type VhostListener = dyn Fn(VhostEvent) + Send + Sync;

/// The state of the device behind a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VhostStatus {
    /// NUMA node of the guest's memory, when known.
    pub numa: Option<i32>,
    /// Virtio feature bits in use.
    pub features: u64,
    /// Virtqueues, both directions.
    pub n_vrings: u16,
    /// MTU that the guest was told, when that was negotiated.
    pub mtu: Option<u16>,
    /// Descriptors of each virtqueue, as far as known.
    pub vring_sizes: Vec<u16>,
}

/// What callbacks and queues share.
pub(crate) struct Shared {
    path: String,
    pub(crate) rings: Rings,
    listener: Box<VhostListener>,
}

/// Sockets that are open, for the callbacks, which only know the path.
static SOCKETS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// A vhost-user socket that is open; closed when dropped.
#[derive(Debug)]
pub struct VhostDev {
    shared: Arc<Shared>,
    c_path: CString,
    client: bool,
    registered: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vhost").field("path", &self.path).field("rings", &self.rings).finish()
    }
}

/// Virtio feature bits (Virtual I/O Device 1.1, 5.1.3).
mod feature {
    pub(super) const CSUM: u64 = 1 << 0;
    pub(super) const GUEST_CSUM: u64 = 1 << 1;
    pub(super) const GUEST_TSO4: u64 = 1 << 7;
    pub(super) const GUEST_TSO6: u64 = 1 << 8;
    pub(super) const GUEST_ECN: u64 = 1 << 9;
    pub(super) const GUEST_UFO: u64 = 1 << 10;
    pub(super) const HOST_TSO4: u64 = 1 << 11;
    pub(super) const HOST_TSO6: u64 = 1 << 12;
    pub(super) const HOST_ECN: u64 = 1 << 13;
    pub(super) const HOST_UFO: u64 = 1 << 14;
    pub(super) const TSO: u64 = GUEST_TSO4 | GUEST_TSO6 | HOST_TSO4 | HOST_TSO6;
}

impl VhostConfig {
    fn flags(&self) -> u64 {
        // Flags as for network devices: what a guest left undone is told by RX_L4_CKSUM_NONE and
        // RX_LRO with a segment size.
        let mut flags = dpdk_sys::WEIR_VHOST_NET_COMPLIANT_OL_FLAGS;
        // Large packets in one piece, so that headers are where they are looked for.
        flags |= dpdk_sys::WEIR_VHOST_LINEARBUF_SUPPORT;
        for (wanted, flag) in [
            (self.client, dpdk_sys::WEIR_VHOST_CLIENT),
            (self.iommu, dpdk_sys::WEIR_VHOST_IOMMU_SUPPORT),
            (self.postcopy, dpdk_sys::WEIR_VHOST_POSTCOPY_SUPPORT),
            (self.tso, dpdk_sys::WEIR_VHOST_EXTBUF_SUPPORT),
        ] {
            if wanted {
                flags |= flag;
            }
        }
        flags
    }

    /// Virtio features that are not offered: those nothing can be done for, and the unwanted.
    const fn features_off(&self) -> u64 {
        let mut off =
            feature::HOST_ECN | feature::GUEST_ECN | feature::HOST_UFO | feature::GUEST_UFO;
        if !self.checksum {
            off |= feature::CSUM | feature::GUEST_CSUM;
        }
        if !self.tso || !self.checksum {
            off |= feature::TSO;
        }
        off
    }
}

impl VhostDev {
    /// Opens the socket. Guests may connect from then on; `listener` is told.
    ///
    /// # Errors
    /// Without an EAL; a path that is too long, in use or not writable.
    pub fn open(config: &VhostConfig, listener: Box<VhostListener>) -> Result<Self, DpdkError> {
        Eal::get().ok_or(DpdkError::NotInitialised)?;
        let c_path = c_string(&config.path)?;
        let failed =
            |operation, cause| DpdkError::Vhost { path: config.path.clone(), operation, cause };
        // sockaddr_un.
        if config.path.len() > 107 {
            return Err(failed("taking the path", Errno(libc::ENAMETOOLONG)));
        }
        if !config.client {
            remove_stale(Path::new(&config.path));
        }

        let shared = Arc::new(Shared {
            path: config.path.clone(),
            rings: Rings::new(MAX_QUEUE_PAIRS),
            listener,
        });
        {
            let mut sockets = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
            sockets.retain(|socket| socket.strong_count() > 0);
            if sockets.iter().filter_map(Weak::upgrade).any(|socket| socket.path == config.path) {
                return Err(DpdkError::InUse(config.path.clone()));
            }
            sockets.push(Arc::downgrade(&shared));
        }

        let check = |operation, error: i32| {
            if error == 0 { Ok(()) } else { Err(failed(operation, Errno::from_return(error))) }
        };
        // SAFETY: the path outlives the call.
        let error = unsafe { dpdk_sys::rte_vhost_driver_register(c_path.as_ptr(), config.flags()) };
        check("registering", error)?;
        // From here on dropping unregisters.
        let registered = AtomicBool::new(true);
        let dev = Self { shared, c_path, client: config.client, registered };
        let path = dev.c_path.as_ptr();
        // SAFETY: the callbacks and their table stay for the life of the process.
        let error = unsafe { dpdk_sys::rte_vhost_driver_callback_register(path, ops()) };
        check("registering callbacks", error)?;
        // SAFETY: the path outlives the call.
        let error =
            unsafe { dpdk_sys::rte_vhost_driver_disable_features(path, config.features_off()) };
        check("choosing features", error)?;
        // SAFETY: the path outlives the call.
        let error = unsafe { dpdk_sys::rte_vhost_driver_start(path) };
        check("starting", error)?;
        Ok(dev)
    }

    /// The socket's path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.shared.path
    }

    /// Whether the socket connects rather than serves.
    #[must_use]
    pub const fn is_client(&self) -> bool {
        self.client
    }

    /// Whether a guest's card is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.shared.rings.vid().is_some()
    }

    /// The receive queue of pair `queue`, unless its handle is out already or the number is too high.
    /// Needs no device: it yields nothing while there is none.
    #[must_use]
    pub fn rx_queue(&self, queue: u16) -> Option<VhostRxQueue> {
        VhostRxQueue::take(&self.shared, queue)
    }

    /// Whether the guest lets packets pass by the receive queue of pair `queue`.
    #[must_use]
    pub fn is_rx_enabled(&self, queue: u16) -> bool {
        self.shared.rings.is_enabled(Direction::Receive, queue)
    }

    /// The transmit queue of pair `queue`, unless its handle is out already or the number is too high.
    /// Needs no device: it sends nothing while there is none.
    #[must_use]
    pub fn tx_queue(&self, queue: u16) -> Option<VhostTxQueue> {
        VhostTxQueue::take(&self.shared, queue)
    }

    /// The state of the device; `None` when there is none.
    #[must_use]
    pub fn status(&self) -> Option<VhostStatus> {
        // The device cannot end during these calls.
        self.shared.rings.with_device(|vid| {
            // SAFETY: plain questions about a live device, which fill their variables.
            let numa = unsafe { dpdk_sys::rte_vhost_get_numa_node(vid) };
            let mut features = 0;
            // SAFETY: as above.
            unsafe { dpdk_sys::rte_vhost_get_negotiated_features(vid, &raw mut features) };
            // SAFETY: as above.
            let n_vrings = unsafe { dpdk_sys::rte_vhost_get_vring_num(vid) };
            let mut mtu = 0;
            // SAFETY: as above.
            let error = unsafe { dpdk_sys::rte_vhost_get_mtu(vid, &raw mut mtu) };
            let size_of_vring = |index| {
                let mut vring = rte_vhost_vring::default();
                // SAFETY: as above.
                let error =
                    unsafe { dpdk_sys::rte_vhost_get_vhost_vring(vid, index, &raw mut vring) };
                (error == 0).then_some(vring.size)
            };
            VhostStatus {
                numa: (numa >= 0).then_some(numa),
                features,
                n_vrings,
                mtu: (error == 0).then_some(mtu),
                vring_sizes: (0..n_vrings).map_while(size_of_vring).collect(),
            }
        })
    }
}

impl Drop for VhostDev {
    fn drop(&mut self) {
        if self.registered.swap(false, Ordering::Relaxed) {
            // Ends the device first, by the callbacks below.
            // SAFETY: registered by `open`.
            let error = unsafe { dpdk_sys::rte_vhost_driver_unregister(self.c_path.as_ptr()) };
            if error != 0 {
                let cause = Errno::from_return(error);
                log::warn!(target: "dpdk", "vhost-user socket {}: unregistering failed: {cause}", self.path());
            }
        }
        let mut sockets = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| !std::ptr::eq(socket.as_ptr(), Arc::as_ptr(&self.shared)));
    }
}

/// Removes the socket of a server that is gone.
fn remove_stale(path: &Path) {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let refused = || {
        std::os::unix::net::UnixStream::connect(path)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    if is_socket && refused() {
        let _ = std::fs::remove_file(path);
    }
}

/// The table of callbacks, which stays for the life of the process.
struct Ops(rte_vhost_device_ops);

// SAFETY: never changed; the pointers in it are reserved and null.
unsafe impl Send for Ops {}
// SAFETY: as above.
unsafe impl Sync for Ops {}

fn ops() -> &'static rte_vhost_device_ops {
    static OPS: OnceLock<Ops> = OnceLock::new();
    let ops = OPS.get_or_init(|| {
        // Releases of DPDK differ in the entries that are left out here.
        Ops(rte_vhost_device_ops {
            new_device: Some(new_device),
            destroy_device: Some(destroy_device),
            vring_state_changed: Some(vring_state_changed),
            destroy_connection: Some(destroy_connection),
            ..rte_vhost_device_ops::default()
        })
    });
    &ops.0
}

/// The socket of a device.
fn socket_of(vid: i32) -> Option<Arc<Shared>> {
    let mut name = [0_u8; 256];
    // SAFETY: fills at most the buffer.
    let error =
        unsafe { dpdk_sys::rte_vhost_get_ifname(vid, name.as_mut_ptr().cast(), name.len()) };
    let name = CStr::from_bytes_until_nul(&name).ok().filter(|_| error == 0)?;
    let sockets = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    sockets
        .iter()
        .filter_map(Weak::upgrade)
        .find(|socket| socket.path.as_bytes() == name.to_bytes())
}

unsafe extern "C" fn new_device(vid: i32) -> i32 {
    let Some(shared) = socket_of(vid) else {
        log::warn!(target: "dpdk", "vHost Device {vid} can't be added - name not found");
        return -1;
    };
    // SAFETY: a plain question about the device that DPDK tells us of.
    let n_vrings = unsafe { dpdk_sys::rte_vhost_get_vring_num(vid) };
    for vring in 0..n_vrings {
        // The switch polls, so that guests need not knock.
        // SAFETY: as above.
        unsafe { dpdk_sys::rte_vhost_enable_guest_notification(vid, vring, 0) };
    }
    shared.rings.device_up(vid);
    log::info!(
        target: "dpdk",
        "vHost Device '{}' has been added, {} queue pair(s)",
        shared.path,
        n_vrings / 2
    );
    (shared.listener)(VhostEvent::DeviceUp { queue_pairs: n_vrings / 2 });
    0
}

unsafe extern "C" fn destroy_device(vid: i32) {
    if let Some(shared) = socket_of(vid) {
        shared.rings.device_down();
        log::info!(target: "dpdk", "vHost Device '{}' has been removed", shared.path);
        (shared.listener)(VhostEvent::DeviceDown);
    }
}

unsafe extern "C" fn vring_state_changed(vid: i32, vring: u16, enable: i32) -> i32 {
    if let Some(shared) = socket_of(vid) {
        let enabled = enable != 0;
        if shared.rings.set_enabled(vring, enabled) {
            let (direction, queue) = Direction::of_vring(vring);
            (shared.listener)(VhostEvent::Queue { direction, queue, enabled });
        }
    }
    0
}

unsafe extern "C" fn destroy_connection(vid: i32) {
    if let Some(shared) = socket_of(vid) {
        shared.rings.disable_all();
        (shared.listener)(VhostEvent::ConnectionClosed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> VhostConfig {
        VhostConfig {
            path: "/tmp/x".into(),
            client: true,
            iommu: false,
            postcopy: false,
            checksum: true,
            tso: true,
        }
    }

    #[test]
    fn features() {
        assert_eq!(config().features_off(), 0x6600);
        let no_tso = VhostConfig { tso: false, ..config() };
        assert_eq!(no_tso.features_off(), 0x7f80);
        let plain = VhostConfig { checksum: false, ..config() };
        assert_eq!(plain.features_off(), 0x7f83);
        assert_eq!(config().flags() & 1, 1);
    }
}
