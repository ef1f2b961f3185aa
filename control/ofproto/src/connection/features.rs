//! What tables can do: table features, and the same in the table statistics of OpenFlow 1.0 to 1.2.
//! All of it is made from the field table.

use std::collections::BTreeSet;

use weir_flow::field::{Field, id};
use weir_openflow::OfVersion;
use weir_openflow::messages::table_features::{
    ACTION_BITS, ActionFeatures, ActionSet, InstructionFeatures, TableFeatures,
};
use weir_openflow::messages::table_stats::TableAbilities;

use crate::bridge::BridgeState;
use crate::view::{INTERNAL_TABLE, TableMiss};

/// Every instruction but meter, by wire number: goto, write metadata, write, apply, clear actions.
const INSTRUCTIONS: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5;
const GOTO_TABLE: u32 = 1 << 1;

/// The table-wide actions: those with a name in table features that the switch executes.
fn actions() -> ActionSet {
    let able = [
        "output",
        "group",
        "set_field",
        "strip_vlan",
        "push_vlan",
        "mod_nw_ttl",
        "dec_ttl",
        "set_mpls_ttl",
        "dec_mpls_ttl",
        "push_mpls",
        "pop_mpls",
        "set_queue",
    ];
    let rows = ACTION_BITS.iter().enumerate().filter(|(_, row)| able.contains(&row.0));
    ActionSet(rows.fold(0, |bits, (i, _)| bits | 1 << i))
}

fn fields(keep: impl Fn(&Field) -> bool) -> BTreeSet<weir_flow::FieldId> {
    let on_wire = |f: &&Field| !f.oxm.is_empty() && f.bits <= 128;
    Field::all().iter().filter(on_wire).filter(|f| keep(f)).map(|f| f.id).collect()
}

/// The features of all tables.
pub(super) fn tables(state: &BridgeState, version: OfVersion) -> Vec<TableFeatures> {
    let part = ActionFeatures { actions: actions(), set_fields: fields(|f| f.writable) };
    let evicts = (version >= OfVersion::V14).then_some(true);
    let vacancy = (version >= OfVersion::V14).then_some(false);
    (0..INTERNAL_TABLE)
        .map(|table_id| {
            let last = table_id + 1 == INTERNAL_TABLE;
            let able = InstructionFeatures {
                instructions: if last { INSTRUCTIONS & !GOTO_TABLE } else { INSTRUCTIONS },
                next: (table_id + 1..INTERNAL_TABLE).collect(),
                write: part.clone(),
                apply: part.clone(),
            };
            let config = state.config.tables.iter().find(|t| t.id == table_id);
            let name = config.map(|t| t.name.clone());
            TableFeatures {
                table_id,
                name: name.unwrap_or_default().into_bytes(),
                metadata_match: u64::MAX,
                metadata_write: u64::MAX,
                miss_config: miss(state.flows.set().miss(table_id)),
                supports_eviction: evicts,
                supports_vacancy_events: vacancy,
                max_entries: super::stats::max_entries(state, table_id),
                nonmiss: able.clone(),
                miss: able,
                matching: fields(|_| true),
                mask: fields(|f| f.maskable),
                wildcard: fields(|_| true),
            }
        })
        .collect()
}

/// As OpenFlow messages name it.
fn miss(m: TableMiss) -> weir_openflow::messages::table::TableMiss {
    use weir_openflow::messages::table::TableMiss as Wire;
    match m {
        TableMiss::Default => Wire::Default,
        TableMiss::Controller => Wire::Controller,
        TableMiss::Continue => Wire::Continue,
        TableMiss::Drop => Wire::Drop,
    }
}

/// OpenFlow 1.0's wildcard bits, all of them.
const OFPFW10_ALL: u64 = (1 << 22) - 1;
/// OpenFlow 1.1's, all of them.
const OFPFMF11_ALL: u64 = 0x3ff;

/// What every table can do, in the words of a version before 1.3.
pub(super) fn abilities(version: OfVersion, last: bool) -> TableAbilities {
    let instructions = if last { INSTRUCTIONS & !GOTO_TABLE } else { INSTRUCTIONS };
    // OpenFlow 1.1 and 1.2 count the bits by instruction number.
    let base = TableAbilities {
        instructions,
        write_actions: actions().to_wire(version),
        apply_actions: actions().to_wire(version),
        metadata_match: u64::MAX,
        metadata_write: u64::MAX,
        ..TableAbilities::default()
    };
    match version {
        OfVersion::V10 => TableAbilities { wildcards: OFPFW10_ALL, ..base },
        OfVersion::V11 => TableAbilities { wildcards: OFPFMF11_ALL, matches: OFPFMF11_ALL, ..base },
        _ => {
            let all = oxm12(|_| true);
            let writable = oxm12(|f| f.writable);
            TableAbilities {
                wildcards: all,
                matches: all,
                write_setfields: writable,
                apply_setfields: writable,
                ..base
            }
        }
    }
}

/// A bit for each field that OpenFlow 1.2 numbers.
fn oxm12(keep: impl Fn(&Field) -> bool) -> u64 {
    let rows = Field::all().iter().filter(|f| keep(f) && f.id != id::MPLS_BOS);
    let numbers = rows.flat_map(|f| &f.oxm).filter(|(o, _)| o.class == 0x8000 && o.since <= 3);
    numbers.fold(0, |bits, (o, _)| bits | 1u64.checked_shl(u32::from(o.number)).unwrap_or(0))
}
