//! The rows of the error table: name, description, and (vendor, wire versions, type, code).
//!
//! Names, numbers and descriptions are those of Open vSwitch; an error without a code in a version
//! cannot be sent in that version.

use super::{Code, OfpError};

const OF: u32 = 0;
const NX: u32 = 0x0000_2320;
const ONF: u32 = 0x4f4e_4600;

/// One row of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) codes: &'static [(u32, core::ops::RangeInclusive<u8>, u16, u16)],
}

macro_rules! errors {
    ($($name:ident = $description:literal [$($code:expr),*];)+) => {
        #[expect(non_camel_case_types, reason = "the constants' names")]
        #[repr(u8)]
        enum Index { $($name),+ }

        #[expect(missing_docs, reason = "the description stands in the row")]
        impl OfpError {
            $(pub const $name: Self = Self(Index::$name as u8);)+
        }

        pub(super) static ROWS: &[Row] = &[$(
            Row { name: stringify!($name), description: $description, codes: &[$($code),*] }
        ),+];
    };
}

impl Row {
    pub(super) fn code(&self, wire_version: u8) -> Option<Code> {
        let row = self.codes.iter().find(|(_, versions, _, _)| versions.contains(&wire_version))?;
        Some(Code { vendor: row.0, kind: row.2, code: row.3 })
    }
}

errors! {
    OFPHFC_INCOMPATIBLE = "No compatible version."
        [(OF, 1..=6, 0, 0)];
    OFPHFC_EPERM = "Permissions error."
        [(OF, 1..=6, 0, 1)];
    OFPBRC_BAD_VERSION = "ofp_header.version not supported."
        [(OF, 1..=6, 1, 0)];
    OFPBRC_BAD_TYPE = "ofp_header.type not supported."
        [(OF, 1..=6, 1, 1)];
    OFPBRC_BAD_STAT = "ofp_stats_msg.type not supported."
        [(OF, 1..=6, 1, 2)];
    OFPBRC_BAD_VENDOR = "Vendor not supported (in ofp_vendor_header or ofp_stats_msg)."
        [(OF, 1..=6, 1, 3)];
    OFPBRC_BAD_SUBTYPE = "Vendor subtype not supported."
        [(OF, 1..=6, 1, 4)];
    OFPBRC_EPERM = "Permissions error."
        [(OF, 1..=6, 1, 5)];
    OFPBRC_BAD_LEN = "Wrong request length for type."
        [(OF, 1..=6, 1, 6)];
    OFPBRC_BUFFER_EMPTY = "Specified buffer has already been used."
        [(OF, 1..=6, 1, 7)];
    OFPBRC_BUFFER_UNKNOWN = "Specified buffer does not exist."
        [(OF, 1..=6, 1, 8)];
    OFPBRC_BAD_TABLE_ID = "Specified table-id invalid or does not exist. "
        [(NX, 1..=1, 1, 512), (OF, 2..=6, 1, 9)];
    OFPBRC_IS_SECONDARY = "Denied because controller has secondary role.  (Secondary controllers have only read-only access.)"
        [(OF, 1..=2, 1, 5), (OF, 3..=6, 1, 10)];
    OFPBRC_BAD_PORT = "Invalid or missing port.  "
        [(NX, 1..=2, 1, 514), (OF, 3..=6, 1, 11)];
    OFPBRC_BAD_PACKET = "Invalid packet in packet-out."
        [(OF, 3..=6, 1, 12)];
    OFPBRC_MULTIPART_BUFFER_OVERFLOW = "Multipart request overflowed the assigned buffer."
        [(OF, 4..=6, 1, 13)];
    OFPBRC_MULTIPART_REQUEST_TIMEOUT = "Timeout during multipart request."
        [(ONF, 4..=4, 2640, 0), (OF, 5..=6, 1, 14)];
    OFPBRC_MULTIPART_REPLY_TIMEOUT = "Timeout during multipart reply."
        [(ONF, 4..=4, 2641, 0), (OF, 5..=6, 1, 15)];
    OFPBRC_MULTIPART_BAD_SCHED = "Switch received a OFPMP_BUNDLE_FEATURES request and failed to update the scheduling tolerance."
        [(OF, 6..=6, 1, 16)];
    OFPBRC_PIPELINE_FIELDS_ONLY = "Match fields must include only pipeline fields."
        [(OF, 6..=6, 1, 17)];
    OFPBRC_UNKNOWN = "Unspecified error."
        [(OF, 6..=6, 1, 18)];
    NXBRC_NXM_INVALID = "Invalid NXM flow match."
        [(NX, 1..=2, 1, 256), (NX, 3..=6, 2, 0)];
    NXBRC_NXM_BAD_TYPE = "The nxm_type, or nxm_type taken in combination with nxm_hasmask or nxm_length or both, is invalid or not implemented."
        [(NX, 1..=2, 1, 257), (NX, 3..=6, 3, 0)];
    NXBRC_MUST_BE_ZERO = "Must-be-zero field had nonzero value."
        [(NX, 1..=2, 1, 515), (NX, 3..=6, 4, 0)];
    NXBRC_BAD_REASON = "The reason in an ofp_port_status message is not valid."
        [(NX, 1..=2, 1, 516), (NX, 3..=6, 5, 0)];
    NXBRC_FM_BAD_EVENT = "The 'event' in an NXST_FLOW_MONITOR reply does not specify one of the NXFME_ABBREV, NXFME_ADD, NXFME_DELETE, or NXFME_MODIFY."
        [(NX, 1..=2, 1, 520), (NX, 3..=6, 9, 0)];
    NXBRC_UNENCODABLE_ERROR = "The error that occurred cannot be represented in this OpenFlow version."
        [(NX, 1..=2, 1, 521), (NX, 3..=6, 10, 0)];
    OFPBAC_BAD_TYPE = "Unknown or unsupported action type."
        [(OF, 1..=6, 2, 0)];
    OFPBAC_BAD_LEN = "Length problem in actions."
        [(OF, 1..=6, 2, 1)];
    OFPBAC_BAD_VENDOR = "Unknown experimenter id specified."
        [(OF, 1..=6, 2, 2)];
    OFPBAC_BAD_VENDOR_TYPE = "Unknown action type for experimenter id."
        [(OF, 1..=6, 2, 3)];
    OFPBAC_BAD_OUT_PORT = "Problem validating output port."
        [(OF, 1..=6, 2, 4)];
    OFPBAC_BAD_ARGUMENT = "Bad action argument."
        [(OF, 1..=6, 2, 5)];
    OFPBAC_EPERM = "Permissions error."
        [(OF, 1..=6, 2, 6)];
    OFPBAC_TOO_MANY = "Can't handle this many actions."
        [(OF, 1..=6, 2, 7)];
    OFPBAC_BAD_QUEUE = "Problem validating output queue."
        [(OF, 1..=6, 2, 8)];
    OFPBAC_BAD_OUT_GROUP = "Invalid group id in output action."
        [(NX, 1..=1, 2, 9), (OF, 2..=6, 2, 9)];
    OFPBAC_MATCH_INCONSISTENT = "Action can't apply for this match or a prerequisite for use of this field is unmet."
        [(NX, 1..=1, 1, 522), (OF, 2..=6, 2, 10)];
    OFPBAC_UNSUPPORTED_ORDER = "Action order is unsupported for the action list in an Apply-Actions instruction"
        [(OF, 2..=6, 2, 11)];
    OFPBAC_BAD_TAG = "Actions uses an unsupported tag/encap."
        [(OF, 2..=6, 2, 12)];
    OFPBAC_BAD_SET_TYPE = "Action uses unknown or unsupported OXM or NXM field."
        [(NX, 1..=2, 1, 523), (OF, 3..=6, 2, 13)];
    OFPBAC_BAD_SET_LEN = "Action references past the end of an OXM or NXM field, or uses a length of zero."
        [(NX, 1..=2, 1, 524), (OF, 3..=6, 2, 14)];
    OFPBAC_BAD_SET_ARGUMENT = "Action sets a field to an invalid or unsupported value, or modifies a read-only field."
        [(NX, 1..=2, 1, 525), (OF, 3..=6, 2, 15)];
    OFPBAC_BAD_SET_MASK = "Field in Set-Field action has Has-Mask bit set to 1."
        [(ONF, 4..=5, 4250, 0), (OF, 6..=6, 2, 16)];
    OFPBAC_BAD_METER = "Invalid meter id in meter action."
        [(OF, 6..=6, 2, 17)];
    NXBAC_MUST_BE_ZERO = "Must-be-zero action argument had nonzero value."
        [(NX, 1..=2, 2, 256), (NX, 3..=6, 11, 0)];
    NXBAC_BAD_CONJUNCTION = "Conjunction action must be only action present.  conjunction(id, k/n) must satisfy 1 <= k <= n and 2 <= n <= 64."
        [(NX, 1..=2, 2, 526), (NX, 3..=6, 15, 0)];
    NXBAC_BAD_HEADER_TYPE = "Unsupported packet type in encap or decap."
        [(NX, 4..=6, 39, 0)];
    NXBAC_UNKNOWN_ED_PROP = "Unrecognized encap or decap property."
        [(NX, 4..=6, 40, 0)];
    NXBAC_BAD_ED_PROP = "Error in encap or decap property."
        [(NX, 4..=6, 41, 0)];
    NXBAC_CT_DATAPATH_SUPPORT = "Action requires connection tracking or a particular connection-tracking based feature that the datapath in use does not support.  If a kernel-based datapath is in use, the kernel module may need to be upgraded."
        [(NX, 1..=2, 1, 265), (NX, 3..=6, 42, 0)];
    OFPBIC_UNKNOWN_INST = "Unknown instruction."
        [(OF, 2..=6, 3, 0)];
    OFPBIC_UNSUP_INST = "Switch or table does not support the instruction."
        [(NX, 1..=1, 2, 257), (OF, 2..=6, 3, 1)];
    OFPBIC_BAD_TABLE_ID = "Invalid Table-ID specified."
        [(OF, 2..=6, 3, 2)];
    OFPBIC_UNSUP_METADATA = "Metadata value unsupported by datapath."
        [(OF, 2..=6, 3, 3)];
    OFPBIC_UNSUP_METADATA_MASK = "Metadata mask value unsupported by datapath."
        [(OF, 2..=6, 3, 4)];
    OFPBIC_BAD_EXPERIMENTER = "Unknown experimenter id specified."
        [(OF, 2..=6, 3, 5)];
    OFPBIC_BAD_EXP_TYPE = "Unknown instruction for experimenter id."
        [(OF, 2..=2, 3, 5), (OF, 3..=6, 3, 6)];
    OFPBIC_BAD_LEN = "Length problem in instructions."
        [(OF, 3..=6, 3, 7)];
    OFPBIC_EPERM = "Permissions error."
        [(OF, 3..=6, 3, 8)];
    OFPBIC_DUP_INST = "Duplicate instruction."
        [(NX, 2..=2, 3, 256), (ONF, 3..=4, 2600, 0), (OF, 5..=6, 3, 9)];
    OFPBMC_BAD_TYPE = "Unsupported match type specified by the match"
        [(OF, 2..=6, 4, 0)];
    OFPBMC_BAD_LEN = "Length problem in match."
        [(OF, 2..=6, 4, 1)];
    OFPBMC_BAD_TAG = "Match uses an unsupported tag/encap."
        [(OF, 2..=6, 4, 2)];
    OFPBMC_BAD_DL_ADDR_MASK = "Unsupported datalink addr mask - switch does not support arbitrary datalink address mask."
        [(OF, 2..=6, 4, 3)];
    OFPBMC_BAD_NW_ADDR_MASK = "Unsupported network addr mask - switch does not support arbitrary network address mask."
        [(OF, 2..=6, 4, 4)];
    OFPBMC_BAD_WILDCARDS = "Unsupported wildcard specified in the match."
        [(NX, 1..=1, 1, 262), (OF, 2..=6, 4, 5)];
    OFPBMC_BAD_FIELD = "Unsupported field in the match."
        [(NX, 1..=1, 0, 263), (OF, 2..=6, 4, 6)];
    OFPBMC_BAD_VALUE = "Unsupported value in a match field."
        [(NX, 1..=1, 1, 258), (OF, 2..=6, 4, 7)];
    OFPBMC_BAD_MASK = "Unsupported mask specified in the match."
        [(NX, 1..=2, 1, 259), (OF, 3..=6, 4, 8)];
    OFPBMC_BAD_PREREQ = "A prerequisite was not met."
        [(NX, 1..=2, 1, 260), (OF, 3..=6, 4, 9)];
    OFPBMC_DUP_FIELD = "A field type was duplicated."
        [(NX, 1..=2, 1, 261), (OF, 3..=6, 4, 10)];
    OFPBMC_EPERM = "Permissions error."
        [(OF, 3..=6, 4, 11)];
    NXBMC_CT_DATAPATH_SUPPORT = "Flow match requires connection tracking or a particular connection-tracking based feature that the datapath in use does not support.  If a kernel-based datapath is in use, the kernel module may need to be upgraded."
        [(NX, 1..=2, 1, 264), (NX, 3..=6, 43, 0)];
    OFPFMFC_UNKNOWN = "Unspecified error."
        [(OF, 2..=6, 5, 0)];
    OFPFMFC_TABLE_FULL = "Flow not added because of full table(s)."
        [(OF, 1..=1, 3, 0), (OF, 2..=6, 5, 1)];
    OFPFMFC_BAD_TABLE_ID = "Table does not exist"
        [(OF, 2..=6, 5, 2)];
    OFPFMFC_OVERLAP = "Attempted to add overlapping flow with CHECK_OVERLAP flag set."
        [(OF, 1..=1, 3, 1), (OF, 2..=6, 5, 3)];
    OFPFMFC_EPERM = "Permissions error."
        [(OF, 1..=1, 3, 2), (OF, 2..=6, 5, 4)];
    OFPFMFC_BAD_TIMEOUT = "Flow not added because of unsupported idle/hard timeout."
        [(OF, 2..=6, 5, 5)];
    OFPFMFC_BAD_EMERG_TIMEOUT = "Flow not added because of non-zero idle/hard timeout."
        [(OF, 1..=1, 3, 3)];
    OFPFMFC_BAD_COMMAND = "Unsupported or unknown command."
        [(OF, 1..=1, 3, 4), (OF, 2..=6, 5, 6)];
    OFPFMFC_BAD_FLAGS = "Unsupported or unknown flags."
        [(NX, 1..=1, 3, 258), (NX, 2..=2, 5, 258), (OF, 3..=6, 5, 7)];
    OFPFMFC_CANT_SYNC = "Problem in table synchronization."
        [(OF, 5..=6, 5, 8)];
    OFPFMFC_BAD_PRIORITY = "Unsupported priority value."
        [(ONF, 4..=4, 2360, 0), (OF, 5..=6, 5, 9)];
    OFPFMFC_IS_SYNC = "Synchronized flow entry is read only."
        [(OF, 5..=6, 5, 10)];
    OFPFMFC_UNSUPPORTED = "Unsupported action list - cannot process in the order specified."
        [(OF, 1..=1, 3, 5)];
    NXFMFC_HARDWARE = "Generic hardware error."
        [(NX, 1..=2, 5, 256), (NX, 3..=6, 12, 0)];
    NXFMFC_BAD_TABLE_ID = "A nonexistent table ID was specified in the \"command\" field of struct ofp_flow_mod, when the nxt_flow_mod_table_id extension is enabled."
        [(NX, 1..=2, 5, 257), (NX, 3..=6, 13, 0)];
    NXFMFC_INVALID_TLV_FIELD = "Attempted to add a flow with an invalid variable length meta-flow field."
        [(NX, 1..=2, 1, 536), (NX, 3..=6, 37, 0)];
    OFPGMFC_GROUP_EXISTS = "Group not added because a group ADD attempted to replace an already-present group."
        [(NX, 1..=1, 6, 0), (OF, 2..=6, 6, 0)];
    OFPGMFC_INVALID_GROUP = "Group not added because Group specified is invalid."
        [(NX, 1..=1, 6, 1), (OF, 2..=6, 6, 1)];
    OFPGMFC_WEIGHT_UNSUPPORTED = "Switch does not support unequal load sharing with select groups."
        [(NX, 1..=1, 6, 2), (OF, 2..=6, 6, 2)];
    OFPGMFC_OUT_OF_GROUPS = "The group table is full."
        [(NX, 1..=1, 6, 3), (OF, 2..=6, 6, 3)];
    OFPGMFC_OUT_OF_BUCKETS = "The maximum number of action buckets for a group has been exceeded."
        [(NX, 1..=1, 6, 4), (OF, 2..=6, 6, 4)];
    OFPGMFC_CHAINING_UNSUPPORTED = "Switch does not support groups that forward to groups."
        [(NX, 1..=1, 6, 5), (OF, 2..=6, 6, 5)];
    OFPGMFC_WATCH_UNSUPPORTED = "This group cannot watch the watch_port or watch_group specified."
        [(NX, 1..=1, 6, 6), (OF, 2..=6, 6, 6)];
    OFPGMFC_LOOP = "Group entry would cause a loop."
        [(NX, 1..=1, 6, 7), (OF, 2..=6, 6, 7)];
    OFPGMFC_UNKNOWN_GROUP = "Group not modified because a group MODIFY attempted to modify a non-existent group."
        [(NX, 1..=1, 6, 8), (OF, 2..=6, 6, 8)];
    OFPGMFC_CHAINED_GROUP = "Group not deleted because another group is forwarding to it."
        [(NX, 1..=1, 6, 9), (OF, 3..=6, 6, 9)];
    OFPGMFC_BAD_TYPE = "Unsupported or unknown group type."
        [(NX, 1..=1, 6, 10), (OF, 3..=6, 6, 10)];
    OFPGMFC_BAD_COMMAND = "Unsupported or unknown command."
        [(NX, 1..=1, 6, 11), (OF, 3..=6, 6, 11)];
    OFPGMFC_BAD_BUCKET = "Error in bucket."
        [(NX, 1..=1, 6, 12), (OF, 3..=6, 6, 12)];
    OFPGMFC_BAD_WATCH = "Error in watch port/group."
        [(NX, 1..=1, 6, 13), (OF, 3..=6, 6, 13)];
    OFPGMFC_EPERM = "Permissions error."
        [(NX, 1..=1, 6, 14), (OF, 3..=6, 6, 14)];
    OFPGMFC_UNKNOWN_BUCKET = "Invalid bucket identifier used in INSERT BUCKET or REMOVE BUCKET command."
        [(NX, 1..=1, 6, 15), (OF, 6..=6, 6, 15)];
    OFPGMFC_BUCKET_EXISTS = "Can't insert bucket because a bucket already exist with that bucket-id."
        [(NX, 1..=1, 6, 16), (OF, 6..=6, 6, 16)];
    OFPPMFC_BAD_PORT = "Specified port does not exist."
        [(OF, 1..=1, 4, 0), (OF, 2..=6, 7, 0)];
    OFPPMFC_BAD_HW_ADDR = "Specified hardware address does not match the port number."
        [(OF, 1..=1, 4, 1), (OF, 2..=6, 7, 1)];
    OFPPMFC_BAD_CONFIG = "Specified config is invalid."
        [(OF, 2..=6, 7, 2)];
    OFPPMFC_BAD_ADVERTISE = "Specified advertise is invalid."
        [(OF, 2..=6, 7, 3)];
    OFPPMFC_EPERM = "Permissions error."
        [(OF, 3..=6, 7, 4)];
    OFPTMFC_BAD_TABLE = "Specified table does not exist."
        [(OF, 2..=6, 8, 0)];
    OFPTMFC_BAD_CONFIG = "Specified config is invalid."
        [(OF, 2..=6, 8, 1)];
    OFPTMFC_EPERM = "Permissions error."
        [(OF, 3..=6, 8, 2)];
    OFPQOFC_BAD_PORT = "Invalid port (or port does not exist)."
        [(OF, 1..=1, 5, 0), (OF, 2..=6, 9, 0)];
    OFPQOFC_BAD_QUEUE = "Queue does not exist."
        [(OF, 1..=1, 5, 1), (OF, 2..=6, 9, 1)];
    OFPQOFC_EPERM = "Permissions error."
        [(OF, 1..=1, 5, 2), (OF, 2..=6, 9, 2)];
    NXQOFC_QUEUE_ERROR = "System error retrieving queue details."
        [(NX, 5..=6, 23, 0)];
    OFPSCFC_BAD_FLAGS = "Specified flags is invalid."
        [(OF, 2..=6, 10, 0)];
    OFPSCFC_BAD_LEN = "Specified len is invalid."
        [(OF, 2..=6, 10, 1)];
    OFPSCFC_EPERM = "Permissions error."
        [(OF, 3..=6, 10, 2)];
    OFPRRFC_STALE = "Stale Message: old generation_id."
        [(OF, 3..=6, 11, 0)];
    OFPRRFC_UNSUP = "Controller role change unsupported."
        [(OF, 3..=6, 11, 1)];
    OFPRRFC_BAD_ROLE = "Invalid role."
        [(NX, 1..=2, 1, 513), (OF, 3..=6, 11, 2)];
    OFPRRFC_ID_UNSUP = "Switch doesn't support changing ID."
        [(OF, 6..=6, 11, 3)];
    OFPRRFC_ID_IN_USE = "Requested ID is in use."
        [(OF, 6..=6, 11, 4)];
    OFPMMFC_UNKNOWN = "Unspecified error."
        [(OF, 4..=6, 12, 0)];
    OFPMMFC_METER_EXISTS = "Meter not added because a Meter ADD attempted to replace an existing Meter."
        [(OF, 4..=6, 12, 1)];
    OFPMMFC_INVALID_METER = "Meter not added because meter specified is invalid, or invalid meter in meter action."
        [(OF, 4..=6, 12, 2)];
    OFPMMFC_UNKNOWN_METER = "Meter not modified because a Meter MODIFY attempted to modify a non-existent meter, or bad meter in meter action."
        [(OF, 4..=6, 12, 3)];
    OFPMMFC_BAD_COMMAND = "Unsupported or unknown command."
        [(OF, 4..=6, 12, 4)];
    OFPMMFC_BAD_FLAGS = "Flag configuration unsupported."
        [(OF, 4..=6, 12, 5)];
    OFPMMFC_BAD_RATE = "Rate unsupported."
        [(OF, 4..=6, 12, 6)];
    OFPMMFC_BAD_BURST = "Burst size unsupported."
        [(OF, 4..=6, 12, 7)];
    OFPMMFC_BAD_BAND = "Band unsupported."
        [(OF, 4..=6, 12, 8)];
    OFPMMFC_BAD_BAND_VALUE = "Band value unsupported."
        [(OF, 4..=6, 12, 9)];
    OFPMMFC_OUT_OF_METERS = "No more meters available."
        [(OF, 4..=6, 12, 10)];
    OFPMMFC_OUT_OF_BANDS = "The maximum number of properties for a meter has been exceeded."
        [(OF, 4..=6, 12, 11)];
    OFPTFFC_BAD_TABLE = "Specified table does not exist."
        [(OF, 4..=6, 13, 0)];
    OFPTFFC_BAD_METADATA = "Invalid metadata mask."
        [(OF, 4..=6, 13, 1)];
    OFPTFFC_EPERM = "Permissions error."
        [(OF, 4..=6, 13, 5)];
    OFPTFFC_BAD_CAPA = "Invalid capability field."
        [(OF, 6..=6, 13, 6)];
    OFPTFFC_BAD_MAX_ENT = "Invalid max_entries field."
        [(OF, 6..=6, 13, 7)];
    OFPTFFC_BAD_FEATURES = "Invalid features field."
        [(OF, 6..=6, 13, 8)];
    OFPTFFC_BAD_COMMAND = "Invalid command."
        [(OF, 6..=6, 13, 9)];
    OFPTFFC_TOO_MANY = "Can't handle this many flow tables."
        [(OF, 6..=6, 13, 10)];
    NXTFFC_DUP_TABLE = "Table specified multiple times."
        [(NX, 4..=6, 44, 0)];
    OFPBPC_BAD_TYPE = "Unknown or unsupported property type.  "
        [(NX, 1..=2, 13, 2), (NX, 3..=3, 25, 0), (OF, 4..=4, 13, 2), (OF, 5..=6, 14, 0)];
    OFPBPC_BAD_LEN = "Length problem in property.  "
        [(NX, 1..=2, 13, 3), (NX, 3..=3, 26, 0), (OF, 4..=4, 13, 3), (OF, 5..=6, 14, 1)];
    OFPBPC_BAD_VALUE = "Unsupported property value.  "
        [(NX, 1..=2, 13, 4), (NX, 3..=3, 27, 0), (OF, 4..=4, 13, 4), (OF, 5..=6, 14, 2)];
    OFPBPC_TOO_MANY = "Can't handle this many properties."
        [(NX, 1..=2, 14, 3), (NX, 3..=3, 28, 0), (ONF, 4..=4, 4443, 0), (OF, 5..=6, 14, 3)];
    OFPBPC_DUP_TYPE = "A property type was duplicated."
        [(NX, 1..=2, 14, 4), (NX, 3..=3, 29, 0), (ONF, 4..=4, 4444, 0), (OF, 5..=6, 14, 4)];
    OFPBPC_BAD_EXPERIMENTER = "Unknown experimenter id specified."
        [(NX, 1..=2, 14, 5), (NX, 3..=3, 30, 0), (ONF, 4..=4, 4445, 0), (OF, 5..=6, 14, 5)];
    OFPBPC_BAD_EXP_TYPE = "Unknown exp_type for experimenter id."
        [(NX, 1..=2, 14, 6), (NX, 3..=3, 31, 0), (ONF, 4..=4, 4446, 0), (OF, 5..=6, 14, 6)];
    OFPBPC_BAD_EXP_VALUE = "Unknown value for experimenter id."
        [(NX, 1..=2, 14, 7), (NX, 3..=3, 32, 0), (ONF, 4..=4, 4447, 0), (OF, 5..=6, 14, 7)];
    OFPBPC_EPERM = "Permissions error."
        [(NX, 1..=2, 14, 8), (NX, 3..=3, 33, 0), (ONF, 4..=4, 4448, 0), (OF, 5..=6, 14, 8)];
    OFPACFC_INVALID = "One mask is invalid."
        [(ONF, 4..=4, 2370, 0), (OF, 5..=6, 15, 0)];
    OFPACFC_UNSUPPORTED = "Requested configuration not supported."
        [(ONF, 4..=4, 2371, 0), (OF, 5..=6, 15, 1)];
    OFPACFC_EPERM = "Permissions error."
        [(ONF, 4..=4, 2372, 0), (OF, 5..=6, 15, 2)];
    OFPBFC_UNKNOWN = "Unspecified error."
        [(ONF, 4..=4, 2300, 0), (OF, 5..=6, 17, 0)];
    OFPBFC_EPERM = "Permissions error."
        [(ONF, 4..=4, 2301, 0), (OF, 5..=6, 17, 1)];
    OFPBFC_BAD_ID = "Bundle ID doesn't exist."
        [(ONF, 4..=4, 2302, 0), (OF, 5..=6, 17, 2)];
    OFPBFC_BUNDLE_EXIST = "Bundle ID already exists."
        [(ONF, 4..=4, 2303, 0), (OF, 5..=6, 17, 3)];
    OFPBFC_BUNDLE_CLOSED = "Bundle ID is closed."
        [(ONF, 4..=4, 2304, 0), (OF, 5..=6, 17, 4)];
    OFPBFC_OUT_OF_BUNDLES = "Too many bundle IDs."
        [(ONF, 4..=4, 2305, 0), (OF, 5..=6, 17, 5)];
    OFPBFC_BAD_TYPE = "Unsupported of unknown message control type."
        [(ONF, 4..=4, 2306, 0), (OF, 5..=6, 17, 6)];
    OFPBFC_BAD_FLAGS = "Unsupported, unknown, or inconsistent flags."
        [(ONF, 4..=4, 2307, 0), (OF, 5..=6, 17, 7)];
    OFPBFC_MSG_BAD_LEN = "Length problem in included message."
        [(ONF, 4..=4, 2308, 0), (OF, 5..=6, 17, 8)];
    OFPBFC_MSG_BAD_XID = "Inconsistent or duplicate XID."
        [(ONF, 4..=4, 2309, 0), (OF, 5..=6, 17, 9)];
    OFPBFC_MSG_UNSUP = "Unsupported message in this bundle."
        [(ONF, 4..=4, 2310, 0), (OF, 5..=6, 17, 10)];
    OFPBFC_MSG_CONFLICT = "Unsupported message combination in this bundle."
        [(ONF, 4..=4, 2311, 0), (OF, 5..=6, 17, 11)];
    OFPBFC_MSG_TOO_MANY = "Cant handle this many messages in bundle."
        [(ONF, 4..=4, 2312, 0), (OF, 5..=6, 17, 12)];
    OFPBFC_MSG_FAILED = "One message in bundle failed."
        [(ONF, 4..=4, 2313, 0), (OF, 5..=6, 17, 13)];
    OFPBFC_TIMEOUT = "Bundle is taking too long."
        [(ONF, 4..=4, 2314, 0), (OF, 5..=6, 17, 14)];
    OFPBFC_BUNDLE_IN_PROGRESS = "Bundle is locking the resource."
        [(ONF, 4..=4, 2315, 0), (OF, 5..=6, 17, 15)];
    OFPBFC_SCHED_NOT_SUPPORTED = "Scheduled commit was received and scheduling is not supported."
        [(OF, 6..=6, 17, 16)];
    OFPBFC_SCHED_FUTURE = "Scheduled commit time exceeds upper bound."
        [(OF, 6..=6, 17, 17)];
    OFPBFC_SCHED_PAST = "Scheduled commit time exceeds lower bound."
        [(OF, 6..=6, 17, 18)];
    OFPBFC_BAD_VERSION = "In an OFPT_BUNDLE_ADD_MESSAGE, the OpenFlow version in the inner and outer messages differ."
        [(NX, 5..=6, 22, 0)];
    OFPMOFC_UNKNOWN = "Unspecified error."
        [(OF, 5..=6, 16, 0)];
    OFPMOFC_MONITOR_EXISTS = "Monitor not added because a Monitor ADD attempted to replace an existing Monitor."
        [(NX, 1..=2, 1, 517), (NX, 3..=4, 6, 0), (OF, 5..=6, 16, 1)];
    OFPMOFC_INVALID_MONITOR = "Monitor not added because Monitor specified is invalid."
        [(OF, 5..=6, 16, 2)];
    OFPMOFC_UNKNOWN_MONITOR = "Monitor not modified because a Monitor MODIFY attempted to modify a non-existent Monitor."
        [(NX, 1..=2, 1, 519), (NX, 3..=4, 8, 0), (OF, 5..=6, 16, 3)];
    OFPMOFC_BAD_COMMAND = "Unsupported or unknown command."
        [(OF, 5..=6, 16, 4)];
    OFPMOFC_BAD_FLAGS = "Flag configuration unsupported."
        [(NX, 1..=2, 1, 518), (NX, 3..=4, 7, 0), (OF, 5..=6, 16, 5)];
    OFPMOFC_BAD_TABLE_ID = "Specified table does not exist."
        [(OF, 5..=6, 16, 6)];
    OFPMOFC_BAD_OUT = "Error in output port/group."
        [(OF, 5..=6, 16, 7)];
    NXTTMFC_BAD_COMMAND = "The TLV table mod command is not recognized as a valid operation."
        [(NX, 1..=2, 1, 527), (NX, 3..=6, 16, 0)];
    NXTTMFC_BAD_OPT_LEN = "The option length is not a valid option size for TLVs."
        [(NX, 1..=2, 1, 528), (NX, 3..=6, 17, 0)];
    NXTTMFC_BAD_FIELD_IDX = "The field index is out of range for the supported NX_TUN_METADATA<n> match."
        [(NX, 1..=2, 1, 529), (NX, 3..=6, 18, 0)];
    NXTTMFC_TABLE_FULL = "The total set of configured options exceeds the maximum supported by the switch."
        [(NX, 1..=2, 1, 530), (NX, 3..=6, 19, 0)];
    NXTTMFC_ALREADY_MAPPED = "The controller issued an NXTTMC_ADD command for a field index that is already mapped."
        [(NX, 1..=2, 1, 531), (NX, 3..=6, 20, 0)];
    NXTTMFC_DUP_ENTRY = "The option TLV that is attempting to be mapped is the same as one assigned to a different field."
        [(NX, 1..=2, 1, 532), (NX, 3..=6, 21, 0)];
    NXTTMFC_INVALID_TLV_DEL = "Attempted to delete a TLV mapping that is used by any active flow."
        [(NX, 1..=2, 1, 537), (NX, 3..=6, 38, 0)];
    NXR_NOT_SUPPORTED = "This datapath doesn't support NXT_RESUME."
        [(NX, 1..=2, 1, 533), (NX, 3..=6, 34, 0)];
    NXR_STALE = "Continuation is stale: Open vSwitch process has been restarted or bridge has been destroyed since continuation was generated, or continuation was not generated by this Open vSwitch instance."
        [(NX, 1..=2, 1, 534), (NX, 3..=6, 35, 0)];
    NXST_NOT_CONFIGURED = "Protocol is not configured on this Open vSwitch instance."
        [(NX, 1..=2, 1, 535), (NX, 3..=6, 36, 0)];
}
