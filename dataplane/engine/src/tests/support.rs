//! A slow path made of a closure, an engine around it, and readers of what came out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

use weir_dpdk::{Eal, EalConfig};
use weir_flow::action::{Action, ControllerCookie, SampleCookie, SlowReasons};
use weir_flow::slowpath::{Credit, Miss, QueueFull, Translation};
use weir_flow::{DropReason, Flow, Mask, PortNo, SlowPath};
use weir_rcu::Guard;

use crate::{Engine, EngineConfig, PortConfig, SystemTime};

/// What the closure decides: the bits it looked at, and what to do.
pub(super) struct Decision {
    pub(super) mask: Mask,
    pub(super) actions: Vec<Action>,
    pub(super) slow: SlowReasons,
}

type Decide = dyn Fn(&Flow) -> Decision + Send + Sync;

/// Counts what it is credited.
#[derive(Debug, Default)]
pub(super) struct Total {
    pub(super) packets: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) flags: AtomicU64,
}

impl Credit for Total {
    fn credit(&self, packets: u64, bytes: u64, _used_ms: u64, tcp_flags: u16) {
        self.packets.fetch_add(packets, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.flags.fetch_or(u64::from(tcp_flags), Ordering::Relaxed);
    }

    fn receivers(&self) -> u64 {
        0
    }
}

/// See the module.
pub(super) struct TestSlowPath {
    decide: Box<Decide>,
    pub(super) total: Arc<Total>,
    pub(super) translations: AtomicU64,
    pub(super) packet_ins: Mutex<Vec<(Flow, Vec<u8>)>>,
}

impl SlowPath for TestSlowPath {
    fn translate(&self, _guard: &Guard, miss: &Miss<'_>) -> Translation {
        self.translations.fetch_add(1, Ordering::Relaxed);
        let Decision { mask, actions, slow } = (self.decide)(miss.key);
        Translation {
            mask,
            actions: actions.into(),
            drop_reason: None,
            slow,
            credit: Arc::clone(&self.total) as Arc<dyn Credit>,
        }
    }

    fn packet_in(
        &self,
        _cookie: &Arc<ControllerCookie>,
        key: &Flow,
        packet: &[u8],
    ) -> Result<(), QueueFull> {
        self.packet_ins.lock().unwrap().push((*key, packet.to_vec()));
        Ok(())
    }

    fn sample(
        &self,
        _cookie: &Arc<SampleCookie>,
        _key: &Flow,
        _packet: &[u8],
    ) -> Result<(), QueueFull> {
        Err(QueueFull)
    }
}

/// The mask of a rule that looks at the ingress port only, as translation makes it.
pub(super) fn port_mask() -> Mask {
    let mut mask = Mask::CATCHALL;
    mask.0.in_port = u32::MAX.into();
    mask.0.recirc_id = u32::MAX.into();
    mask.0.packet_type = u32::MAX.into();
    mask.0.dl_type = u16::MAX.into();
    mask.0.nw_frag = 3;
    mask
}

/// A decision for all packets of a port.
pub(super) fn always(actions: Vec<Action>) -> Decision {
    Decision { mask: port_mask(), actions, slow: SlowReasons::default() }
}

/// An engine with dummy ports 1 to 4 whose output is captured.
pub(super) struct Rig {
    pub(super) engine: Arc<Engine>,
    pub(super) slow: Arc<TestSlowPath>,
    dir: tempfile::TempDir,
}

pub(crate) fn eal() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let config = EalConfig { huge_pages: false, plain_megabytes: 400, ..EalConfig::default() };
        Eal::init(&config).unwrap();
    });
}

impl Rig {
    pub(super) fn new(decide: impl Fn(&Flow) -> Decision + Send + Sync + 'static) -> Self {
        eal();
        let slow = Arc::new(TestSlowPath {
            decide: Box::new(decide),
            total: Arc::default(),
            translations: AtomicU64::new(0),
            packet_ins: Mutex::default(),
        });
        let dir = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            mbufs: Some(4095),
            vhost_sock_dir: dir.path().to_str().unwrap().to_owned(),
            ..EngineConfig::new(SystemTime::start())
        };
        let engine = Engine::new(&config, Arc::clone(&slow) as Arc<dyn SlowPath>).unwrap();
        let rig = Self { engine, slow, dir };
        for no in 1..=4 {
            rig.add_dummy(no);
        }
        rig
    }

    /// A path in the directory of the test.
    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn capture_path(&self, no: u32) -> PathBuf {
        self.dir.path().join(format!("p{no}.pcap"))
    }

    pub(super) fn add_dummy(&self, no: u32) {
        let path = self.capture_path(no).to_str().unwrap().to_owned();
        let options = BTreeMap::from([("tx_pcap".to_owned(), path)]);
        let name = format!("p{no}");
        let config =
            PortConfig { name, kind: "dummy".to_owned(), options, ..PortConfig::default() };
        self.engine.add_port(PortNo(no), config).unwrap();
    }

    pub(super) fn receive(&self, no: u32, packet: &[u8]) {
        self.engine.dummy_receive(PortNo(no), packet).unwrap();
    }

    /// The packets that left by a port, in order.
    pub(super) fn sent(&self, no: u32) -> Vec<Vec<u8>> {
        read_pcap(&std::fs::read(self.capture_path(no)).unwrap())
    }

    pub(super) fn drops(&self, reason: DropReason) -> u64 {
        self.engine.drops().iter().find(|(r, _)| *r == reason).unwrap().1
    }

    pub(super) fn translations(&self) -> u64 {
        self.slow.translations.load(Ordering::Relaxed)
    }

    pub(super) fn credited(&self) -> (u64, u64) {
        let total = &self.slow.total;
        (total.packets.load(Ordering::Relaxed), total.bytes.load(Ordering::Relaxed))
    }
}

/// The packets of a capture file.
pub(super) fn read_pcap(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    file = &file[24..];
    while !file.is_empty() {
        let len = u32::from_le_bytes(file[8..12].try_into().unwrap()) as usize;
        packets.push(file[16..16 + len].to_vec());
        file = &file[16 + len..];
    }
    packets
}

/// A capture file of these packets.
pub(super) fn write_pcap(path: &str, packets: &[Vec<u8>]) {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1u32] {
        file.extend(word.to_le_bytes());
    }
    for packet in packets {
        let len = packet.len() as u32;
        for word in [0, 0, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    std::fs::write(path, file).unwrap();
}

/// A UDP packet over IPv4 with right checksums.
pub(super) fn udp(src: u32, dst: u32, tp_src: u16, tp_dst: u16, payload: &[u8]) -> Vec<u8> {
    use weir_flow::packet::checksum;
    let mut p = vec![0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 8, 0];
    let total = (28 + payload.len()) as u16;
    p.extend([0x45, 0]);
    p.extend(total.to_be_bytes());
    p.extend([0, 1, 0, 0, 64, 17, 0, 0]);
    p.extend(src.to_be_bytes());
    p.extend(dst.to_be_bytes());
    let sum = checksum::checksum(&p[14..34]).to_be_bytes();
    p[24..26].copy_from_slice(&sum);
    p.extend(tp_src.to_be_bytes());
    p.extend(tp_dst.to_be_bytes());
    p.extend((total - 20).to_be_bytes());
    p.extend([0, 0]);
    p.extend(payload);
    let udp_len = u32::from(total) - 20;
    let pseudo = checksum::pseudo_header(&src.to_be_bytes(), &dst.to_be_bytes(), 17, udp_len);
    let sum = !checksum::fold(checksum::add(pseudo, &p[34..]));
    p[40..42].copy_from_slice(&sum.to_be_bytes());
    p
}
