//! Which asynchronous messages a controller wants.

use std::fmt::Write;

use super::role;
use crate::messages::async_config::{AsyncConfig, AsyncMsg, AsyncType};
use crate::messages::flow_removed::removed_reason;
use crate::messages::packet_in::packet_in_reason;

fn type_name(kind: AsyncType) -> &'static str {
    match kind {
        AsyncType::PacketIn => "PACKET_IN",
        AsyncType::PortStatus => "PORT_STATUS",
        AsyncType::FlowRemoved => "FLOW_REMOVED",
        AsyncType::RoleStatus => "ROLE_STATUS",
        AsyncType::TableStatus => "TABLE_STATUS",
        AsyncType::RequestForward => "REQUESTFORWARD",
    }
}

fn reason_name(kind: AsyncType, reason: u8) -> String {
    let known = match kind {
        AsyncType::PacketIn => return packet_in_reason::name(reason),
        AsyncType::PortStatus => ["add", "delete", "modify"].get(usize::from(reason)).copied(),
        AsyncType::FlowRemoved => removed_reason::name(reason),
        AsyncType::RoleStatus => role::reason_name(reason),
        AsyncType::TableStatus => match reason {
            3 => Some("vacancy_down"),
            4 => Some("vacancy_up"),
            _ => None,
        },
        AsyncType::RequestForward => {
            ["group_mod_request", "meter_mod_request"].get(usize::from(reason)).copied()
        }
    };
    known.map_or_else(|| reason.to_string(), str::to_owned)
}

pub(super) fn print(s: &mut String, m: &AsyncMsg) {
    let config = AsyncConfig::default().changed(m);
    for (role, masks) in [("primary", config.primary), ("secondary", config.secondary)] {
        let _ = writeln!(s, "\n {role}:");
        for (kind, mask) in AsyncType::ALL.into_iter().zip(masks) {
            let _ = write!(s, "{:>16}:", type_name(kind));
            for reason in (0..32).filter(|r| mask & (1 << r) != 0) {
                let name = reason_name(kind, reason);
                if !name.is_empty() {
                    let _ = write!(s, " {name}");
                }
            }
            if mask == 0 {
                s.push_str(" (off)");
            }
            s.push('\n');
        }
    }
}
