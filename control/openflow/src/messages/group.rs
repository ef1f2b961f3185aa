//! Groups: `OFPT_GROUP_MOD` and the group statistics, descriptions and features, in the forms of
//! OpenFlow 1.1 to 1.4, of 1.5, and Nicira's for 1.0, which are 1.5's.

use std::collections::BTreeMap;

use weir_flow::FieldId;

use crate::actions::Actions;
use crate::frame::Frame;
use crate::matching::FieldValue;
use crate::messages::action_lists::{decode_actions, encode_actions};
use crate::messages::duration::Duration;
use crate::messages::port_stats::{known, put_duration};
use crate::messages::table_features::ActionSet;
use crate::nxm;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

pub mod parse;

/// Special group numbers.
#[expect(missing_docs, reason = "names of ofp_group")]
pub mod group_id {
    /// Highest number of an ordinary group.
    pub const MAX: u32 = 0xffff_ff00;
    pub const ALL: u32 = 0xffff_fffc;
    pub const ANY: u32 = 0xffff_ffff;
}

/// Special bucket numbers (OpenFlow 1.5).
#[expect(missing_docs, reason = "names of ofp_group_bucket")]
pub mod bucket_id {
    /// Highest number of an ordinary bucket.
    pub const MAX: u32 = 0xffff_ff00;
    pub const FIRST: u32 = 0xffff_fffd;
    pub const LAST: u32 = 0xffff_fffe;
    pub const ALL: u32 = 0xffff_ffff;
}

/// What a group does with its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "names of ofp_group_type")]
pub enum GroupType {
    All,
    Select,
    Indirect,
    FastFailover,
    /// Anything else; only in descriptions, a group-mod with it is refused.
    Unknown(u8),
}

impl GroupType {
    /// From its number.
    #[must_use]
    pub fn from_wire(n: u8) -> Self {
        match n {
            0 => Self::All,
            1 => Self::Select,
            2 => Self::Indirect,
            3 => Self::FastFailover,
            n => Self::Unknown(n),
        }
    }

    /// Its number.
    #[must_use]
    pub fn to_wire(self) -> u8 {
        match self {
            Self::All => 0,
            Self::Select => 1,
            Self::Indirect => 2,
            Self::FastFailover => 3,
            Self::Unknown(n) => n,
        }
    }

    /// Its word in a group's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Select => "select",
            Self::Indirect => "indirect",
            Self::FastFailover => "ff",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its number; before OpenFlow 1.5, its place in the list.
    pub bucket_id: u32,
    /// Its share, in select groups.
    pub weight: u16,
    /// The bucket lives while this port does; [`OfPort::NONE`] is none.
    pub watch_port: OfPort,
    /// The bucket lives while this group does; [`group_id::ANY`] is none.
    pub watch_group: u32,
    /// What it does.
    pub actions: Actions,
}

/// How a select group picks a bucket (Netronome's extension).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GroupProps {
    /// `hash`, `dp_hash`, or empty for the default.
    pub selection_method: String,
    /// The method's parameter.
    pub selection_method_param: u64,
    /// The fields to hash, each with its mask.
    pub fields: BTreeMap<FieldId, FieldValue>,
}

const NTR_VENDOR_ID: u32 = 0x0000_154d;
const NTR_COMPAT_VENDOR_ID: u32 = 0x0000_0154;
const NTRT_SELECTION_METHOD: u32 = 1;
const METHOD_LEN: usize = 16;

const WEIGHT: u16 = 0;
const WATCH_PORT: u16 = 1;
const WATCH_GROUP: u16 = 2;

fn pull_buckets_11(r: &mut Reader<'_>, v: OfVersion) -> Result<Vec<Bucket>, OfpError> {
    let bad = OfpError::OFPGMFC_BAD_BUCKET;
    let mut buckets = Vec::new();
    while !r.is_empty() {
        let mut head = Reader::new(r.rest(), bad);
        let len = usize::from(head.u16()?);
        let mut b = Reader::new(r.rest(), bad).sub(len)?;
        r.skip(len)?;
        b.skip(2)?;
        let weight = b.u16()?;
        let watch_port = b.u32()?;
        let watch_group = b.u32()?;
        b.skip(4)?;
        let actions = decode_actions(b.rest(), v)?;
        buckets.push(Bucket {
            bucket_id: u32::try_from(buckets.len()).unwrap_or(u32::MAX),
            weight,
            watch_port: OfPort::from_ofp11(watch_port).ok_or(OfpError::OFPGMFC_BAD_WATCH)?,
            watch_group,
            actions,
        });
    }
    Ok(buckets)
}

fn put_bucket_11(b: &Bucket, v: OfVersion, out: &mut Vec<u8>) {
    let start = out.len();
    out.put_u16(0);
    out.put_u16(b.weight);
    out.put_u32(b.watch_port.to_ofp11());
    out.put_u32(b.watch_group);
    out.put_zeros(4);
    encode_actions(&b.actions, v, out);
    out.set_u16(start, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
}

fn pull_buckets_15(bytes: &[u8], v: OfVersion, kind: GroupType) -> Result<Vec<Bucket>, OfpError> {
    let bad = OfpError::OFPGMFC_BAD_BUCKET;
    let mut r = Reader::new(bytes, bad);
    let mut buckets: Vec<Bucket> = Vec::new();
    while !r.is_empty() {
        let len = usize::from(Reader::new(r.rest(), bad).u16()?);
        let mut b = r.sub(len)?;
        b.skip(2)?;
        let actions_len = usize::from(b.u16()?);
        let id = b.u32()?;
        let actions = decode_actions(b.take(actions_len)?, v)?;
        let mut bucket = Bucket {
            bucket_id: id,
            weight: u16::from(kind == GroupType::Select),
            watch_port: OfPort::NONE,
            watch_group: group_id::ANY,
            actions,
        };
        let mut props = Reader::new(b.rest(), OfpError::OFPBPC_BAD_LEN);
        while !props.is_empty() {
            let p = Prop::pull(&mut props)?;
            match p.kind {
                PropType::Standard(WEIGHT) => bucket.weight = weight(&p)?,
                PropType::Standard(WATCH_PORT) => {
                    let port = OfPort::from_ofp11(p.u32()?);
                    bucket.watch_port = port.ok_or(OfpError::OFPGMFC_BAD_WATCH)?;
                }
                PropType::Standard(WATCH_GROUP) => bucket.watch_group = p.u32()?,
                _ => return Err(p.unknown()),
            }
        }
        if id > bucket_id::MAX || buckets.iter().any(|b| b.bucket_id == id) {
            return Err(bad);
        }
        buckets.push(bucket);
    }
    Ok(buckets)
}

/// Two bytes, and two of padding that the length counts.
fn weight(p: &Prop<'_>) -> Result<u16, OfpError> {
    p.u32().map(|n| u16::try_from(n >> 16).unwrap_or(u16::MAX))
}

fn put_bucket_15(b: &Bucket, id: u32, kind: GroupType, v: OfVersion, out: &mut Vec<u8>) {
    let start = out.len();
    out.put_zeros(4);
    out.put_u32(id);
    encode_actions(&b.actions, v, out);
    let actions_len = out.len() - start - 8;
    if kind == GroupType::Select || b.weight != 0 {
        // The length counts the padding.
        props::put_u32(out, WEIGHT, u32::from(b.weight) << 16);
    }
    if b.watch_port != OfPort::NONE {
        props::put_u32(out, WATCH_PORT, b.watch_port.to_ofp11());
    }
    if b.watch_group != group_id::ANY {
        props::put_u32(out, WATCH_GROUP, b.watch_group);
    }
    out.set_u16(start, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
    out.set_u16(start + 2, u16::try_from(actions_len).unwrap_or(u16::MAX));
}

/// Buckets without a number of their own get the lowest free one.
fn put_buckets_15(buckets: &[Bucket], kind: GroupType, v: OfVersion, out: &mut Vec<u8>) {
    let mut used: std::collections::BTreeSet<u32> =
        buckets.iter().map(|b| b.bucket_id).filter(|id| *id <= bucket_id::MAX).collect();
    for b in buckets {
        let id = if b.bucket_id <= bucket_id::MAX {
            b.bucket_id
        } else {
            let free = (0..).find(|id| !used.contains(id)).unwrap_or(0);
            used.insert(free);
            free
        };
        put_bucket_15(b, id, kind, v, out);
    }
}

impl GroupProps {
    fn pull(bytes: &[u8], kind: GroupType, may_select: bool) -> Result<Self, OfpError> {
        let mut r = Reader::new(bytes, OfpError::OFPBPC_BAD_LEN);
        let mut props = Self::default();
        while !r.is_empty() {
            let p = Prop::pull(&mut r)?;
            match p.kind {
                PropType::Experimenter {
                    vendor: NTR_VENDOR_ID | NTR_COMPAT_VENDOR_ID,
                    exp_type: NTRT_SELECTION_METHOD,
                } => {
                    if kind != GroupType::Select {
                        log::warn!(
                            target: "ofp_group",
                            "ntr selection method property is only allowed for select groups"
                        );
                        return Err(OfpError::OFPBPC_BAD_VALUE);
                    }
                    if !may_select {
                        return Err(OfpError::OFPBPC_BAD_VALUE);
                    }
                    props = Self::pull_selection_method(p.payload)?;
                }
                _ => return Err(p.unknown()),
            }
        }
        Ok(props)
    }

    fn pull_selection_method(bytes: &[u8]) -> Result<Self, OfpError> {
        let mut r = Reader::new(bytes, OfpError::OFPBPC_BAD_LEN);
        r.skip(4)?;
        let method = r.take(METHOD_LEN)?;
        let selection_method_param = r.u64()?;
        let bad = OfpError::OFPBPC_BAD_VALUE;
        let end = method.iter().position(|b| *b == 0).ok_or(bad)?;
        let method = match method.get(..end) {
            Some(b"hash") => "hash",
            Some(b"dp_hash") => "dp_hash",
            other => {
                log::warn!(
                    target: "ofp_group",
                    "ntr selection method '{}' is not supported",
                    String::from_utf8_lossy(other.unwrap_or_default())
                );
                return Err(bad);
            }
        };
        if !r.is_empty() && method != "hash" {
            return Err(bad);
        }
        let mut fields = BTreeMap::new();
        while !r.is_empty() {
            let (field, value, _) = nxm::pull_entry(&mut r, false)?;
            if fields.insert(field.id, value).is_some() {
                return Err(OfpError::OFPBMC_DUP_FIELD);
            }
        }
        Ok(Self { selection_method: method.to_owned(), selection_method_param, fields })
    }

    fn put(&self, v: OfVersion, out: &mut Vec<u8>) {
        if self.selection_method.is_empty() {
            return;
        }
        let kind =
            PropType::Experimenter { vendor: NTR_VENDOR_ID, exp_type: NTRT_SELECTION_METHOD };
        props::put(out, kind, |out| {
            out.put_zeros(4);
            let method = self.selection_method.as_bytes();
            crate::messages::fixed_string::put(out, method, METHOD_LEN);
            out.put_u64(self.selection_method_param);
            for (field, mask) in &self.fields {
                let field = field.field();
                let ones = FieldValue::ones(mask.len());
                nxm::put_entry(field, Some(v), mask, &ones, out);
            }
        });
    }
}

/// What a group-mod does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "names of ofp_group_mod_command")]
pub enum GroupCommand {
    Add = 0,
    Modify = 1,
    Delete = 2,
    InsertBucket = 3,
    RemoveBucket = 5,
    /// Open vSwitch's own: add the group, or change it when it is there.
    AddOrMod = 0x8000,
}

impl GroupCommand {
    fn from_wire(n: u16) -> Option<Self> {
        let all = [
            Self::Add,
            Self::Modify,
            Self::Delete,
            Self::InsertBucket,
            Self::RemoveBucket,
            Self::AddOrMod,
        ];
        all.into_iter().find(|c| *c as u16 == n)
    }
}

/// `OFPT_GROUP_MOD`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMod {
    /// What to do.
    pub command: GroupCommand,
    /// What the group does with its buckets.
    pub kind: GroupType,
    /// The group.
    pub group_id: u32,
    /// Where to insert or what to remove, see [`bucket_id`].
    pub command_bucket_id: u32,
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// How to pick one.
    pub props: GroupProps,
}

impl GroupMod {
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let command = r.u16()?;
        let kind = GroupType::from_wire(r.u8()?);
        r.skip(1)?;
        let group_id = r.u32()?;
        let known = GroupCommand::from_wire(command);
        let (command_bucket_id, buckets, props) = if f.raw == Raw::Ofpt11GroupMod {
            let buckets = pull_buckets_11(&mut r, v)?;
            if v >= OfVersion::V13 && known == Some(GroupCommand::Delete) && !buckets.is_empty() {
                return Err(OfpError::OFPGMFC_INVALID_GROUP);
            }
            (bucket_id::ALL, buckets, GroupProps::default())
        } else {
            let len = usize::from(r.u16()?);
            r.skip(2)?;
            let id = r.u32()?;
            check_command_bucket(known, id)?;
            let buckets = pull_buckets_15(r.take(len)?, v, kind)?;
            let may_select = matches!(
                known,
                Some(GroupCommand::Add | GroupCommand::Modify | GroupCommand::AddOrMod)
            );
            (id, buckets, GroupProps::pull(r.rest(), kind, may_select)?)
        };
        if matches!(kind, GroupType::Unknown(_)) {
            return Err(OfpError::OFPGMFC_BAD_TYPE);
        }
        let command = known.ok_or(OfpError::OFPGMFC_BAD_COMMAND)?;
        let gm = Self { command, kind, group_id, command_bucket_id, buckets, props };
        gm.check()?;
        Ok(gm)
    }

    fn check(&self) -> Result<(), OfpError> {
        if self.kind == GroupType::Indirect
            && self.command != GroupCommand::Delete
            && self.buckets.len() != 1
        {
            return Err(OfpError::OFPGMFC_INVALID_GROUP);
        }
        if self.command == GroupCommand::RemoveBucket && !self.buckets.is_empty() {
            return Err(OfpError::OFPGMFC_BAD_BUCKET);
        }
        for b in &self.buckets {
            // Who inserts a bucket does not say what type the group is of.
            let may_weigh =
                self.kind == GroupType::Select || self.command == GroupCommand::InsertBucket;
            if b.weight != 0 && !may_weigh {
                return Err(OfpError::OFPGMFC_INVALID_GROUP);
            }
            let watches = b.watch_port != OfPort::NONE || b.watch_group != group_id::ANY;
            match self.kind {
                GroupType::All | GroupType::Indirect if watches => {
                    return Err(OfpError::OFPGMFC_WATCH_UNSUPPORTED);
                }
                GroupType::FastFailover if !watches => {
                    return Err(OfpError::OFPGMFC_INVALID_GROUP);
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u16(self.command as u16);
        out.put_u8(self.kind.to_wire());
        out.put_zeros(1);
        out.put_u32(self.group_id);
        if raw == Raw::Ofpt11GroupMod {
            self.buckets.iter().for_each(|b| put_bucket_11(b, v, out));
            return;
        }
        let len_at = out.len();
        out.put_zeros(4);
        out.put_u32(self.command_bucket_id);
        let start = out.len();
        put_buckets_15(&self.buckets, self.kind, v, out);
        out.set_u16(len_at, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
        self.props.put(v, out);
    }
}

fn check_command_bucket(command: Option<GroupCommand>, id: u32) -> Result<(), OfpError> {
    let one = id <= bucket_id::MAX || id == bucket_id::FIRST || id == bucket_id::LAST;
    let ok = match command {
        Some(GroupCommand::InsertBucket) => one,
        Some(GroupCommand::RemoveBucket) => one || id == bucket_id::ALL,
        _ => id == bucket_id::ALL,
    };
    if ok { Ok(()) } else { Err(OfpError::OFPGMFC_BAD_BUCKET) }
}

/// Which group: requests of statistics and descriptions. Before OpenFlow 1.5 descriptions are of
/// all groups.
pub(crate) fn decode_request(f: &Frame<'_>) -> Result<u32, OfpError> {
    if f.raw == Raw::Ofpst11GroupDescRequest {
        return Ok(group_id::ALL);
    }
    Reader::new(f.body, OfpError::OFPBRC_BAD_LEN).u32()
}

pub(crate) fn encode_request(id: u32, raw: Raw, out: &mut Vec<u8>) {
    if raw != Raw::Ofpst11GroupDescRequest {
        out.put_u32(id);
        out.put_zeros(4);
    }
}

/// An entry of an `OFPST_GROUP_DESC` reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDesc {
    /// The group.
    pub group_id: u32,
    /// What it does with its buckets.
    pub kind: GroupType,
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// How one is picked.
    pub props: GroupProps,
}

fn is_15(v: OfVersion) -> bool {
    matches!(v, OfVersion::V10 | OfVersion::V15)
}

impl GroupDesc {
    pub(crate) fn pull(r: &mut Reader<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBRC_BAD_LEN;
        let len = usize::from(Reader::new(r.rest(), bad).u16()?);
        let mut r = r.sub(len)?;
        r.skip(2)?;
        let kind = GroupType::from_wire(r.u8()?);
        r.skip(1)?;
        let group_id = r.u32()?;
        if !is_15(v) {
            let buckets = pull_buckets_11(&mut r, v)?;
            return Ok(Self { group_id, kind, buckets, props: GroupProps::default() });
        }
        let buckets_len = usize::from(r.u16()?);
        r.skip(6)?;
        let buckets = pull_buckets_15(r.take(buckets_len)?, v, kind)?;
        let props = GroupProps::pull(r.rest(), kind, true)?;
        Ok(Self { group_id, kind, buckets, props })
    }

    /// Appends the group as an entry of a reply.
    pub fn put(&self, out: &mut Vec<u8>, v: OfVersion) {
        let start = out.len();
        out.put_u16(0);
        out.put_u8(self.kind.to_wire());
        out.put_zeros(1);
        out.put_u32(self.group_id);
        if is_15(v) {
            out.put_zeros(8);
            let buckets = out.len();
            put_buckets_15(&self.buckets, self.kind, v, out);
            out.set_u16(start + 8, u16::try_from(out.len() - buckets).unwrap_or(u16::MAX));
            self.props.put(v, out);
        } else {
            self.buckets.iter().for_each(|b| put_bucket_11(b, v, out));
        }
        out.set_u16(start, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
    }
}

/// A group's counters.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GroupStats {
    /// The group.
    pub group_id: u32,
    /// Flows and groups that use it.
    pub ref_count: u32,
    /// Packets.
    pub packet_count: u64,
    /// Bytes.
    pub byte_count: u64,
    /// How long it exists, when it is known (OpenFlow 1.3 and later).
    pub duration: Option<Duration>,
    /// (packets, bytes) of each bucket.
    pub buckets: Vec<(u64, u64)>,
}

impl GroupStats {
    pub(crate) fn pull(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBRC_BAD_LEN;
        let len = usize::from(Reader::new(r.rest(), bad).u16()?);
        let mut r = r.sub(len)?;
        r.skip(4)?;
        let group_id = r.u32()?;
        let ref_count = r.u32()?;
        r.skip(4)?;
        let (packet_count, byte_count) = (r.u64()?, r.u64()?);
        let duration =
            if raw == Raw::Ofpst11GroupReply { None } else { known(Some(Duration::pull(&mut r)?)) };
        let mut buckets = Vec::new();
        while r.len() >= 16 {
            buckets.push((r.u64()?, r.u64()?));
        }
        Ok(Self { group_id, ref_count, packet_count, byte_count, duration, buckets })
    }

    /// Appends the statistics as an entry of a reply of form `raw`.
    pub fn put(&self, out: &mut Vec<u8>, raw: Raw) {
        let start = out.len();
        out.put_zeros(4);
        out.put_u32(self.group_id);
        out.put_u32(self.ref_count);
        out.put_zeros(4);
        out.put_u64(self.packet_count);
        out.put_u64(self.byte_count);
        if raw != Raw::Ofpst11GroupReply {
            put_duration(self.duration, out);
        }
        for (packets, bytes) in &self.buckets {
            out.put_u64(*packets);
            out.put_u64(*bytes);
        }
        out.set_u16(start, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
    }
}

/// `OFPST_GROUP_FEATURES` reply; arrays are by type: all, select, indirect, fast failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct GroupFeatures {
    /// Bit N: groups of type N.
    pub types: u32,
    /// `OFPGFC12_*`
    pub capabilities: u32,
    /// Most groups.
    pub max_groups: [u32; 4],
    /// Actions that their buckets may hold.
    pub actions: [ActionSet; 4],
}

impl GroupFeatures {
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let mut m = Self { types: r.u32()?, capabilities: r.u32()?, ..Self::default() };
        for n in &mut m.max_groups {
            *n = r.u32()?;
        }
        for a in &mut m.actions {
            *a = ActionSet::from_wire(r.u32()?, v);
        }
        Ok(m)
    }

    pub(crate) fn encode(&self, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u32(self.types);
        out.put_u32(self.capabilities);
        self.max_groups.iter().for_each(|n| out.put_u32(*n));
        self.actions.iter().for_each(|a| out.put_u32(a.to_wire(v)));
    }
}
