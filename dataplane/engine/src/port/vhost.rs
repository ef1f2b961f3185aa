//! Ports of types `dpdkvhostuserclient` and `dpdkvhostuser`: a virtual machine's network card.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use weir_dpdk::offload::tx;
use weir_dpdk::{
    Batch, MAX_QUEUE_PAIRS, Mempool, VhostConfig, VhostDev, VhostEvent, VhostRxQueue, VhostTxQueue,
};

use crate::offload;
use crate::port::options::Options;
use crate::port::received::Received;
use crate::port::rx::Rx;
use crate::port::tx::Tx;
use crate::port::{Link, Opened, PortConfig, PortError, PortStats};

/// Times that packets are offered again to a guest whose ring is full, unless
/// `options:tx-retries-max` says otherwise.
const TX_RETRIES: u8 = 8;
/// Most such times.
const MAX_TX_RETRIES: u8 = 32;

/// What DPDK's vhost thread tells of the guest.
#[derive(Debug, Default)]
struct Guest {
    queue_pairs: AtomicU16,
    /// Times that it came or went.
    resets: AtomicU64,
}

/// A vhost-user port.
#[derive(Debug)]
pub(crate) struct VhostPort {
    // Queues hold what they need of it, and it must outlive none of them.
    dev: VhostDev,
    guest: Arc<Guest>,
    pool: Mempool,
    retries: u8,
    received: Vec<Arc<Received>>,
}

/// The socket of an interface, and whether the switch connects to it.
fn socket(config: &PortConfig, sock_dir: &str) -> Result<(String, bool), PortError> {
    if config.kind == "dpdkvhostuserclient" {
        return Ok((Options(&config.options).required("vhost-server-path")?.to_owned(), true));
    }
    Ok((format!("{sock_dir}/{}", config.name), false))
}

fn retries(config: &PortConfig) -> u8 {
    let Some(text) = config.options.get("tx-retries-max") else {
        return TX_RETRIES;
    };
    text.parse().ok().filter(|n| *n <= MAX_TX_RETRIES).unwrap_or_else(|| {
        let name = &config.name;
        log::warn!(target: "netdev_dpdk", "{name}: options:tx-retries-max={text} cannot be: {TX_RETRIES} is used");
        TX_RETRIES
    })
}

/// Opens the socket of an interface.
pub(crate) fn open(
    config: &PortConfig,
    sock_dir: &str,
    mtu: u16,
    pool: &Mempool,
) -> Result<(VhostPort, Opened), PortError> {
    let (path, client) = socket(config, sock_dir)?;
    let retries = retries(config);
    let guest = Arc::new(Guest::default());
    let listener = {
        let guest = Arc::clone(&guest);
        Box::new(move |event| match event {
            VhostEvent::DeviceUp { queue_pairs } => {
                guest.queue_pairs.store(queue_pairs, Ordering::Relaxed);
                guest.resets.fetch_add(1, Ordering::Relaxed);
            }
            VhostEvent::DeviceDown => {
                guest.resets.fetch_add(1, Ordering::Relaxed);
            }
            VhostEvent::Queue { .. } | VhostEvent::ConnectionClosed => {}
        })
    };
    let vhost =
        VhostConfig { path, client, iommu: false, postcopy: false, checksum: true, tso: true };
    let dev = VhostDev::open(&vhost, listener)?;
    let mut port = VhostPort { dev, guest, pool: pool.clone(), retries, received: Vec::new() };
    let rx = port.next_rx().into_iter().collect();
    let tx = port.next_tx(0).into_iter().collect();
    Ok((port, Opened { rx, tx, mtu, mac: [0; 6], numa: 0 }))
}

impl VhostPort {
    /// Is this the socket that `config` names?
    pub(crate) fn is_at(&self, config: &PortConfig) -> bool {
        !self.dev.is_client()
            || config.options.get("vhost-server-path").is_some_and(|path| path == self.dev.path())
    }

    /// Takes packets from another pool. The guest does not notice.
    pub(crate) fn restart(&mut self, config: &PortConfig, mtu: u16, pool: &Mempool) -> Opened {
        self.pool = pool.clone();
        self.retries = retries(config);
        let received = std::mem::take(&mut self.received);
        let rx = (0u16..).zip(&received).map_while(|(queue, received)| {
            let (queue, pool) = (self.dev.rx_queue(queue)?, self.pool.clone());
            Some(Rx::Vhost(VhostRx { queue, pool, received: Arc::clone(received) }))
        });
        let rx: Vec<_> = rx.collect();
        self.received = received;
        let tx = (0..self.queue_pairs()).map_while(|queue| self.next_tx(queue)).collect();
        Opened { rx, tx, mtu, mac: [0; 6], numa: 0 }
    }

    /// Queue pairs of the guest; one while there is none.
    pub(crate) fn queue_pairs(&self) -> u16 {
        self.guest.queue_pairs.load(Ordering::Relaxed).clamp(1, MAX_QUEUE_PAIRS)
    }

    /// Whether the guest lets packets pass by this receive queue.
    pub(crate) fn is_rx_enabled(&self, queue: u16) -> bool {
        self.dev.is_rx_enabled(queue)
    }

    /// One more receive queue.
    pub(crate) fn next_rx(&mut self) -> Option<Rx> {
        let queue = u16::try_from(self.received.len()).ok()?;
        let queue = self.dev.rx_queue(queue)?;
        let received = Arc::new(Received::default());
        self.received.push(Arc::clone(&received));
        Some(Rx::Vhost(VhostRx { queue, pool: self.pool.clone(), received }))
    }

    /// Transmit queue `queue`, unless it is in use.
    pub(crate) fn next_tx(&self, queue: u16) -> Option<Tx> {
        let queue = self.dev.tx_queue(queue)?;
        Some(Tx::Vhost(VhostTx { queue, retries: self.retries }))
    }

    pub(crate) fn received(&self) -> (u64, u64) {
        let sum = |get: fn(&Received) -> u64| self.received.iter().map(|r| get(r)).sum();
        (sum(Received::packets), sum(Received::bytes))
    }

    /// The engine's counters: a guest has none that could be asked for.
    pub(crate) fn stats(&self, own: PortStats) -> PortStats {
        let dropped = self.received.iter().map(|r| r.dropped()).sum();
        let zero = Some(0);
        PortStats { rx_dropped: Some(dropped), tx_dropped: zero, rx_errors: zero, ..own }
    }

    pub(crate) fn link(&self) -> Link {
        Link {
            up: self.dev.is_up(),
            resets: self.guest.resets.load(Ordering::Relaxed),
            admin_up: true,
            ..Link::default()
        }
    }

    pub(crate) fn status(&self, status: &mut BTreeMap<String, String>) {
        let mut set = |key: &str, value: String| {
            status.insert(key.to_owned(), value);
        };
        set("mode", if self.dev.is_client() { "client" } else { "server" }.to_owned());
        set("socket", self.dev.path().to_owned());
        let Some(guest) = self.dev.status() else {
            set("status", "disconnected".to_owned());
            return;
        };
        set("status", "connected".to_owned());
        set("features", format!("0x{:016x}", guest.features));
        set("num_of_vrings", guest.n_vrings.to_string());
        if let Some(numa) = guest.numa {
            set("numa", numa.to_string());
        }
        if let Some(mtu) = guest.mtu {
            set("mtu", mtu.to_string());
        }
        for (i, size) in guest.vring_sizes.iter().enumerate() {
            set(&format!("vring_{i}_size"), size.to_string());
        }
        // Enough for one queue pair is shown always, as OVS does.
        set("n_rxq", self.received.len().to_string());
    }
}

/// The receive side: the guest's transmit ring.
#[derive(Debug)]
pub(crate) struct VhostRx {
    queue: VhostRxQueue,
    pool: Mempool,
    received: Arc<Received>,
}

impl VhostRx {
    /// Packets that the guest has sent and that were not received yet.
    pub(crate) fn waiting(&mut self) -> u32 {
        self.queue.waiting()
    }

    pub(crate) fn receive(&mut self, batch: &mut Batch) -> usize {
        let n = self.queue.rx_burst(&self.pool, batch);
        if n != 0 {
            let mut bytes = 0;
            for packet in batch.iter_mut() {
                bytes += u64::from(packet.len());
                offload::adopt_received(packet);
            }
            self.received.count(n as u64, bytes);
        }
        n
    }
}

/// The transmit side: the guest's receive ring.
#[derive(Debug)]
pub(crate) struct VhostTx {
    queue: VhostTxQueue,
    retries: u8,
}

impl VhostTx {
    /// What guests take as it is.
    pub(crate) const fn offloads() -> u64 {
        tx::TCP_CKSUM | tx::UDP_CKSUM | tx::TCP_SEG
    }

    pub(crate) fn send(&mut self, batch: &mut Batch) {
        let mut tries = 0;
        while !batch.is_empty() {
            if self.queue.tx_burst(batch) == 0 {
                if tries >= self.retries || !self.queue.is_enabled() {
                    break;
                }
                tries += 1;
            }
        }
    }
}
