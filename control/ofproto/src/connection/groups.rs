//! Multipart requests about groups: descriptions, statistics, features.

use weir_openflow::messages::group::{GroupFeatures, group_id};
use weir_openflow::messages::table_features::ActionSet;
use weir_openflow::{Decoded, Message, OfVersion};

use super::dispatch::Reach;
use super::ofconn::OfConn;
use crate::bridge::BridgeState;

/// All, select, indirect and fast failover.
const TYPES: u32 = 0b1111;
/// `OFPGFC_SELECT_WEIGHT`, `OFPGFC_SELECT_LIVENESS` and `OFPGFC_CHAINING`.
const CAPABILITIES: u32 = 1 | 2 | 4;

/// Answers such a request; false if it is none.
pub(super) fn handle(
    conn: &mut OfConn,
    state: &BridgeState,
    reach: &Reach<'_>,
    request: &Decoded,
) -> bool {
    let flows = &state.flows;
    let groups = &flows.set().groups;
    let reply = match &request.message {
        Message::GroupDescRequest(id) => {
            Message::GroupDescReply(groups.select(*id).map(|g| g.desc()).collect())
        }
        Message::GroupStatsRequest(id) => {
            let stats =
                groups.select(*id).map(|g| g.stats(flows.group_ref_count(g.id), reach.now_ms));
            Message::GroupStatsReply(stats.collect())
        }
        Message::GroupFeaturesRequest => Message::GroupFeaturesReply(features(request.version)),
        _ => return false,
    };
    conn.send(request.header.xid, &reply);
    true
}

/// The same for all types: as many groups as there are numbers, and any action.
fn features(version: OfVersion) -> GroupFeatures {
    GroupFeatures {
        types: TYPES,
        capabilities: CAPABILITIES,
        max_groups: [group_id::MAX; 4],
        actions: [ActionSet::all(version); 4],
    }
}
