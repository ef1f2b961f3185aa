//! What the switch is told to be: plain data, handed to [`crate::Switch::apply`] as often as one
//! likes. Applying the same data twice changes nothing.

use weir_flow::PortNo;
use weir_openflow::{OfPort, OfVersion};

/// One bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeConfig {
    /// Its name.
    pub name: String,
    /// OpenFlow datapath identifier.
    pub datapath_id: u64,
    /// Ethernet address of the local port.
    pub mac: [u8; 6],
    /// OpenFlow ports. Numbers and names are unique; others are ignored with a warning.
    pub ports: Vec<PortConfig>,
    /// What the normal pipeline forwards between: each names member ports.
    pub bundles: Vec<BundleConfig>,
    /// What to do without a controller.
    pub fail_mode: FailMode,
    /// OpenFlow versions that may be negotiated.
    pub protocols: Vec<OfVersion>,
    /// MAC learning.
    pub mac_learning: MacLearningConfig,
    /// Forward frames to 01:80:c2:00:00:0x.
    pub forward_bpdu: bool,
    /// Settings of tables that differ from the default.
    pub tables: Vec<TableConfig>,
    /// Texts of the description statistics.
    pub description: Description,
}

impl BridgeConfig {
    /// A bridge with no port and all defaults.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            datapath_id: 0,
            mac: [0; 6],
            ports: Vec::new(),
            bundles: Vec::new(),
            fail_mode: FailMode::Standalone,
            protocols: OfVersion::ALL.to_vec(),
            mac_learning: MacLearningConfig::default(),
            forward_bpdu: false,
            tables: Vec::new(),
            description: Description::default(),
        }
    }
}

/// What a bridge does while no controller is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FailMode {
    /// Forward as an ordinary switch.
    #[default]
    Standalone,
    /// Go on with the flows there are.
    Secure,
}

/// See [`BridgeConfig::mac_learning`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacLearningConfig {
    /// Seconds until an address that is not seen is forgotten, 15 to 3600.
    pub aging_secs: u32,
    /// Most addresses, 10 to 1,000,000.
    pub table_size: usize,
    /// VLANs in which nothing is learned.
    pub flood_vlans: Vec<u16>,
}

impl Default for MacLearningConfig {
    fn default() -> Self {
        Self { aging_secs: 300, table_size: 8192, flood_vlans: Vec::new() }
    }
}

/// See [`BridgeConfig::tables`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TableConfig {
    /// Which table.
    pub id: u8,
    /// Its name, or empty.
    pub name: String,
    /// Most flows; `None` is no limit.
    pub flow_limit: Option<usize>,
    /// Above the limit, evict flows instead of refusing new ones.
    pub evict: bool,
    /// Fields whose prefixes are kept in tries; `None` is the default set.
    pub prefixes: Option<Vec<String>>,
}

/// Texts of `OFPMP_DESC`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the OpenFlow structure")]
pub struct Description {
    pub mfr_desc: String,
    pub hw_desc: String,
    pub sw_desc: String,
    pub serial_num: String,
    pub dp_desc: String,
}

impl Default for Description {
    fn default() -> Self {
        Self {
            mfr_desc: "Nicira, Inc.".to_owned(),
            hw_desc: "Open vSwitch".to_owned(),
            sw_desc: "3.7.0".to_owned(),
            serial_num: "None".to_owned(),
            dp_desc: "None".to_owned(),
        }
    }
}

/// One OpenFlow port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortConfig {
    /// Its name.
    pub name: String,
    /// Its OpenFlow number.
    pub ofport: OfPort,
    /// Its `Interface.type`, as `dpif/show` prints it.
    pub kind: String,
    /// What is behind it.
    pub behind: Behind,
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// Does the device have a carrier?
    pub link_up: bool,
    /// Is the device administratively up?
    pub admin_up: bool,
    /// Features and speeds.
    pub features: PortFeatures,
    /// Longest frame payload in bytes.
    pub mtu: u32,
}

/// What a port leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A port of the datapath.
    Datapath(PortNo),
    /// The patch port of this name, of another bridge or the same one.
    Patch {
        /// Name of the peer.
        peer: String,
    },
}

/// Link features, as OpenFlow 1.1 `ofp_port` numbers the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names of the OpenFlow structure")]
pub struct PortFeatures {
    pub current: u32,
    pub advertised: u32,
    pub supported: u32,
    pub peer: u32,
    /// kbit/s
    pub curr_speed: u32,
    /// kbit/s
    pub max_speed: u32,
}

/// Counters of a port, by the names of `ofp_port_stats`; `u64::MAX` where the device has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names of the OpenFlow structure")]
pub struct PortCounters {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_frame_err: u64,
    pub rx_over_err: u64,
    pub rx_crc_err: u64,
    pub collisions: u64,
}

impl PortCounters {
    /// Those of a device that counts nothing.
    pub const UNKNOWN: Self = Self {
        rx_packets: u64::MAX,
        tx_packets: u64::MAX,
        rx_bytes: u64::MAX,
        tx_bytes: u64::MAX,
        rx_dropped: u64::MAX,
        tx_dropped: u64::MAX,
        rx_errors: u64::MAX,
        tx_errors: u64::MAX,
        rx_frame_err: u64::MAX,
        rx_over_err: u64::MAX,
        rx_crc_err: u64::MAX,
        collisions: u64::MAX,
    };
}

/// A `Port` row: what the normal pipeline sees as one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleConfig {
    /// Its name.
    pub name: String,
    /// Its OpenFlow ports. More than one is a bond.
    pub members: Vec<OfPort>,
    /// How it treats VLAN tags.
    pub vlan: VlanConfig,
    /// Protected ports do not forward to each other.
    pub protected: bool,
}

/// VLAN behaviour of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VlanConfig {
    /// The mode.
    pub mode: VlanMode,
    /// Access, native or tunnel VLAN.
    pub tag: u16,
    /// VLANs carried; `None` is all.
    pub trunks: Option<Vec<u16>>,
    /// Customer VLANs accepted by `dot1q-tunnel`; `None` is all.
    pub cvlans: Option<Vec<u16>>,
    /// Ethernet type of the outer tag of `dot1q-tunnel`.
    pub qinq_ethtype: u16,
    /// When frames leave with a priority-only tag.
    pub priority_tags: PriorityTags,
}

impl Default for VlanConfig {
    fn default() -> Self {
        Self {
            mode: VlanMode::Trunk,
            tag: 0,
            trunks: None,
            cvlans: None,
            qinq_ethtype: 0x88a8,
            priority_tags: PriorityTags::Never,
        }
    }
}

/// `Port.vlan_mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "named as the database names them")]
pub enum VlanMode {
    Access,
    #[default]
    Trunk,
    NativeTagged,
    NativeUntagged,
    Dot1qTunnel,
}

impl VlanMode {
    /// Is it a trunk with a native VLAN?
    #[must_use]
    pub fn is_native(self) -> bool {
        matches!(self, Self::NativeTagged | Self::NativeUntagged)
    }
}

/// `Port.other_config:priority-tags`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "named as the database names them")]
pub enum PriorityTags {
    #[default]
    Never,
    IfNonzero,
    Always,
}
