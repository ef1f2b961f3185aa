//! [`Action`]: every OpenFlow action and instruction Weir knows, independent of version and text.
//!
//! Instructions other than Apply-Actions are members of the list, as `ovs-ofctl` writes them; a
//! list keeps them in the order meter, actions, clear_actions, write_actions, write_metadata,
//! goto_table.

use std::net::{IpAddr, Ipv4Addr};

use weir_flow::FieldId;

use crate::matching::{FieldValue, Subfield};
use crate::ofp_port::OfPort;

/// A list of actions and instructions.
pub type Actions = Vec<Action>;

/// One action or instruction. Numbers are in host order; the texts are those of ovs-actions(7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "fields carry the names of ovs-actions(7)")]
pub enum Action {
    // Output
    /// `output:PORT`. `max_len` is the bytes to send, for `CONTROLLER` only.
    Output { port: OfPort, max_len: u16 },
    /// `group:ID`
    Group(u32),
    /// `controller(...)`
    Controller(Box<ControllerAction>),
    /// `enqueue:PORT:QUEUE`
    Enqueue { port: OfPort, queue: u32 },
    /// `output:FIELD[a..b]`
    OutputReg { src: Subfield, max_len: u16 },
    /// `output(port=P,max_len=N)`
    OutputTrunc { port: OfPort, max_len: u32 },
    /// `bundle(...)`, `bundle_load(...)`
    Bundle(Box<BundleAction>),

    // Header changes
    /// `set_field:V[/M]->F`, `load:V->F[a..b]`
    SetField(Box<SetFieldAction>),
    /// `move:SRC[]->DST[]`. `onf` says that it came as the ONF's copy_field of OpenFlow 1.3, where it is
    /// written the same way again; other versions have one form each.
    RegMove { src: Subfield, dst: Subfield, onf: bool },
    /// `set_vlan_vid:V`, `mod_vlan_vid:V`
    SetVlanVid(SetVlan<u16>),
    /// `set_vlan_pcp:P`, `mod_vlan_pcp:P`
    SetVlanPcp(SetVlan<u8>),
    /// `strip_vlan`, or `pop_vlan` when `of11` says that it came in OpenFlow 1.1's form.
    StripVlan { of11: bool },
    /// `push_vlan:ETHERTYPE`
    PushVlan { ethertype: u16 },
    /// `mod_dl_src:MAC`
    SetEthSrc([u8; 6]),
    /// `mod_dl_dst:MAC`
    SetEthDst([u8; 6]),
    /// `mod_nw_src:IP`
    SetIpv4Src(Ipv4Addr),
    /// `mod_nw_dst:IP`
    SetIpv4Dst(Ipv4Addr),
    /// `mod_nw_tos:TOS`; DSCP in the upper six bits.
    SetIpDscp(u8),
    /// `mod_nw_ecn:ECN`
    SetIpEcn(u8),
    /// `mod_nw_ttl:TTL`
    SetIpTtl(u8),
    /// `mod_tp_src:PORT`
    SetL4SrcPort(SetL4Port),
    /// `mod_tp_dst:PORT`
    SetL4DstPort(SetL4Port),
    /// `dec_ttl`, `dec_ttl(id,..)`; no identifiers is the plain form (controller 0).
    DecTtl { controller_ids: Vec<u16> },
    /// `set_mpls_label:L`
    SetMplsLabel(u32),
    /// `set_mpls_tc:TC`
    SetMplsTc(u8),
    /// `set_mpls_ttl:TTL`
    SetMplsTtl(u8),
    /// `dec_mpls_ttl`
    DecMplsTtl,
    /// `push_mpls:ETHERTYPE`
    PushMpls { ethertype: u16 },
    /// `pop_mpls:ETHERTYPE`
    PopMpls { ethertype: u16 },
    /// `dec_nsh_ttl`
    DecNshTtl,
    /// `encap(...)`
    Encap(Box<EncapAction>),
    /// `decap`, `decap(packet_type(ns=N,type=T))`; `None` lets the switch find the new type.
    Decap { new_packet_type: Option<u32> },
    /// `delete_field:tun_metadataN`
    DeleteField(FieldId),

    // Metadata
    /// `set_tunnel:ID`, `set_tunnel64:ID` when `wide` (or the number needs it).
    SetTunnel { id: u64, wide: bool },
    /// `set_queue:Q`
    SetQueue(u32),
    /// `pop_queue`
    PopQueue,
    /// `fin_timeout(idle_timeout=I,hard_timeout=H)`, seconds
    FinTimeout { idle: u16, hard: u16 },

    // Flow of control
    /// `resubmit:PORT`, `resubmit(PORT,TABLE[,ct])`; table 255 is the current one.
    Resubmit { in_port: OfPort, table_id: u8, form: ResubmitForm },
    /// `learn(...)`
    Learn(Box<LearnAction>),
    /// `conjunction(ID,CLAUSE/N)`; `clause` counts from 0 here, from 1 in text.
    Conjunction { id: u32, clause: u8, n_clauses: u8 },
    /// `multipath(...)`
    Multipath(Box<MultipathAction>),
    /// `note:hh.hh`
    Note(Vec<u8>),
    /// `exit`
    Exit,
    /// `sample(...)`
    Sample(Box<SampleAction>),
    /// `ct(...)`
    Ct(Box<CtAction>),
    /// `nat(...)`, only inside `ct`
    Nat(Box<NatAction>),
    /// `ct_clear`
    CtClear,
    /// `clone(...)`
    Clone(Actions),
    /// `check_pkt_larger(N)->F[b]`
    CheckPktLarger { pkt_len: u16, dst: Subfield },
    /// `push:F[]`
    StackPush(Subfield),
    /// `pop:F[]`
    StackPop(Subfield),
    /// `debug_recirc`
    DebugRecirc,
    /// `debug_slow`
    DebugSlow,

    // Instructions
    /// `meter:ID`
    Meter(u32),
    /// `clear_actions`
    ClearActions,
    /// `write_actions(...)`
    WriteActions(Actions),
    /// `write_metadata:V[/M]`
    WriteMetadata { metadata: u64, mask: u64 },
    /// `goto_table:T`
    GotoTable(u8),
}

/// Which wire form an [`Action::Resubmit`] came in; it is written the same way again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResubmitForm {
    /// `NXAST_RESUBMIT`, which has no table.
    Port,
    /// `NXAST_RESUBMIT_TABLE`; also what texts stand for.
    Table,
    /// `NXAST_RESUBMIT_TABLE_CT`: the lookup is for the original direction's addresses (`ct`).
    TableCt,
}

/// See [`Action::Controller`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ControllerAction {
    /// Most bytes of the packet to send.
    pub max_len: u16,
    /// Which controllers (0 is the default of every connection).
    pub controller_id: u16,
    /// OpenFlow packet-in reason (`OFPR_*`).
    pub reason: u8,
    /// Bytes handed back to the controller.
    pub userdata: Vec<u8>,
    /// Freeze the pipeline until `NXT_RESUME`.
    pub pause: bool,
    /// Meter that polices the packet-ins of this action.
    pub meter_id: Option<u32>,
    /// Did it come as `NXAST_CONTROLLER2`? It is written the same way again.
    pub as_properties: bool,
}

impl Default for ControllerAction {
    fn default() -> Self {
        Self {
            max_len: u16::MAX,
            controller_id: 0,
            reason: 1,
            userdata: Vec::new(),
            pause: false,
            meter_id: None,
            as_properties: false,
        }
    }
}

/// See [`Action::SetField`]. Bits of `value` outside `mask` are zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetFieldAction {
    /// The field.
    pub field: FieldId,
    /// Its new bits.
    pub value: FieldValue,
    /// Which bits to write.
    pub mask: FieldValue,
    /// Is the match known to have a VLAN tag? ([`crate::actions::check`] finds out.)
    pub flow_has_vlan: bool,
    /// Which wire form it came in; it is written the same way again.
    pub form: SetFieldForm,
}

/// See [`SetFieldAction::form`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetFieldForm {
    /// `OFPAT_SET_FIELD`, text `set_field`.
    SetField,
    /// `NXAST_REG_LOAD`, text `load`.
    RegLoad,
    /// `NXAST_REG_LOAD2`, text `set_field`.
    RegLoad2,
}

/// See [`Action::SetVlanVid`], [`Action::SetVlanPcp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetVlan<T> {
    /// The new VID or PCP.
    pub value: T,
    /// Push a tag when there is none (OpenFlow 1.0's meaning).
    pub push_vlan_if_needed: bool,
    /// Is the match known to have a VLAN tag? ([`crate::actions::check`] finds out.)
    pub flow_has_vlan: bool,
}

/// See [`Action::SetL4SrcPort`], [`Action::SetL4DstPort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetL4Port {
    /// The new port.
    pub port: u16,
    /// The IP protocol that the match asks for, or 0. ([`crate::actions::check`] finds out.)
    pub flow_ip_proto: u8,
}

/// See [`Action::Encap`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EncapAction {
    /// `packet_type` after the encapsulation: namespace in the upper 16 bits, type in the lower.
    pub new_packet_type: u32,
    /// Properties of the new header.
    pub properties: Vec<EncapProperty>,
}

/// A property of an [`EncapAction`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EncapProperty {
    /// NSH metadata type, 1 or 2.
    NshMdType(u8),
    /// NSH TLV for metadata type 2.
    NshTlv {
        /// TLV class.
        class: u16,
        /// TLV type.
        kind: u8,
        /// TLV value.
        data: Vec<u8>,
    },
}

/// Which fields a hash covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "the words of ovs-actions(7)")]
pub enum HashFields {
    EthSrc = 0,
    SymmetricL4 = 1,
    SymmetricL3L4 = 2,
    SymmetricL3L4Udp = 3,
    NwSrc = 4,
    NwDst = 5,
    SymmetricL3 = 6,
}

/// How `bundle` picks a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum BundleAlgorithm {
    /// The first live member.
    ActiveBackup = 0,
    /// Highest random weight.
    Hrw = 1,
}

/// See [`Action::Bundle`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BundleAction {
    /// What to hash.
    pub fields: HashFields,
    /// Hash basis.
    pub basis: u16,
    /// How to pick.
    pub algorithm: BundleAlgorithm,
    /// Where to load the member's port number (`bundle_load`), or `None` to output to it.
    pub dst: Option<Subfield>,
    /// The members.
    pub members: Vec<OfPort>,
}

/// How `multipath` picks a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "the words of ovs-actions(7)")]
pub enum MultipathAlgorithm {
    ModuloN = 0,
    HashThreshold = 1,
    Hrw = 2,
    IterHash = 3,
}

/// See [`Action::Multipath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MultipathAction {
    /// What to hash.
    pub fields: HashFields,
    /// Hash basis.
    pub basis: u16,
    /// How to pick.
    pub algorithm: MultipathAlgorithm,
    /// Number of links minus one.
    pub max_link: u16,
    /// The algorithm's parameter.
    pub arg: u32,
    /// Where to write the link's number.
    pub dst: Subfield,
}

/// See [`Action::Sample`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SampleAction {
    /// Chance of 1 in 65536 units, at least 1.
    pub probability: u16,
    /// `Flow_Sample_Collector_Set` identifier.
    pub collector_set_id: u32,
    /// Observation domain.
    pub obs_domain_id: NumberOrField,
    /// Observation point.
    pub obs_point_id: NumberOrField,
    /// Port that the sample is about, or [`OfPort::NONE`].
    pub sampling_port: OfPort,
    /// Whether the sample is of ingress or egress traffic.
    pub direction: SampleDirection,
}

/// See [`SampleAction::direction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the words of ovs-actions(7)")]
pub enum SampleDirection {
    Default = 0,
    Ingress = 1,
    Egress = 2,
}

/// A number, or the subfield to read it from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named by its alternatives")]
pub enum NumberOrField {
    Number(u32),
    Field(Subfield),
}

/// See [`Action::Learn`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LearnAction {
    /// Seconds; 0 is never.
    pub idle_timeout: u16,
    /// Seconds; 0 is never.
    pub hard_timeout: u16,
    /// Seconds, for `fin_timeout` of the learned flow; 0 is none.
    pub fin_idle_timeout: u16,
    /// Seconds, for `fin_timeout` of the learned flow; 0 is none.
    pub fin_hard_timeout: u16,
    /// Priority of the learned flow.
    pub priority: u16,
    /// Table of the learned flow.
    pub table_id: u8,
    /// `send_flow_rem` (1), `delete_learned` (2), `write_result` (4).
    pub flags: u16,
    /// Cookie of the learned flow.
    pub cookie: u64,
    /// Most flows to learn; 0 is no limit.
    pub limit: u32,
    /// One bit that says whether the flow was learned, with the flag `write_result`.
    pub result_dst: Option<Subfield>,
    /// What the learned flow matches and does.
    pub specs: Vec<LearnSpec>,
}

/// What a learned flow matches or does, from which source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LearnSpec {
    /// How many bits are taken from the source.
    pub n_bits: u16,
    /// Where the bits come from.
    pub src: LearnSource,
    /// What becomes of them.
    pub dst: LearnDestination,
}

/// See [`LearnSpec::src`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LearnSource {
    /// Bits of the packet that is learned from.
    Field(Subfield),
    /// A constant, in as many bytes as `n_bits` needs, rounded up to 16 bits.
    Immediate(FieldValue),
}

/// See [`LearnSpec::dst`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LearnDestination {
    /// The learned flow matches them.
    Match(Subfield),
    /// The learned flow loads them.
    Load(Subfield),
    /// The learned flow outputs to the port they name.
    Output,
}

/// See [`Action::Ct`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CtAction {
    /// `commit` (1), `force` (2).
    pub flags: u16,
    /// Connection tracking zone: a constant or 16 bits of a field.
    pub zone: CtZone,
    /// Table to go on in with a tracked copy; 255 is none.
    pub recirc_table: u8,
    /// Application layer gateway: 0, or the port of its protocol (21 FTP, 69 TFTP).
    pub alg: u16,
    /// `exec(...)` and `nat(...)`: what is done to the connection.
    pub actions: Actions,
}

/// See [`CtAction::zone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named by its alternatives")]
pub enum CtZone {
    Number(u16),
    Field(Subfield),
}

/// See [`Action::Nat`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct NatAction {
    /// `NX_NAT_F_*`: src 1, dst 2, persistent 4, hash 8, random 16.
    pub flags: u16,
    /// Lowest address.
    pub addr_min: Option<IpAddr>,
    /// Highest address, of the same family as `addr_min`.
    pub addr_max: Option<IpAddr>,
    /// Lowest port, 0 for none.
    pub proto_min: u16,
    /// Highest port, 0 for none.
    pub proto_max: u16,
}

/// Bits of [`CtAction::flags`], `NX_CT_F_*`.
pub mod ct_flag {
    /// `commit`: the connection is remembered.
    pub const COMMIT: u16 = 1;
    /// `force`: an existing connection of the other direction ends.
    pub const FORCE: u16 = 1 << 1;
}

/// [`CtAction::recirc_table`] when there is no table to go on in.
pub const CT_RECIRC_NONE: u8 = 0xff;

/// Bits of [`NatAction::flags`], `NX_NAT_F_*`.
pub mod nat_flag {
    /// `src`: the source is translated.
    pub const SRC: u16 = 1;
    /// `dst`: the destination is translated.
    pub const DST: u16 = 1 << 1;
    /// `persistent`: the mapping survives a restart.
    pub const PERSISTENT: u16 = 1 << 2;
    /// `hash`: ports are chosen by a hash.
    pub const PROTO_HASH: u16 = 1 << 3;
    /// `random`: ports are chosen at random.
    pub const PROTO_RANDOM: u16 = 1 << 4;
}

/// Bits of [`LearnAction::flags`], `NX_LEARN_F_*`.
pub mod learn_flag {
    /// `send_flow_rem`: the learned flow says when it goes away.
    pub const SEND_FLOW_REM: u16 = 1;
    /// `delete_learned`: learned flows go away with the flow that learned them.
    pub const DELETE_LEARNED: u16 = 1 << 1;
    /// `result_dst`: one bit says whether a flow was learned.
    pub const WRITE_RESULT: u16 = 1 << 2;
}
