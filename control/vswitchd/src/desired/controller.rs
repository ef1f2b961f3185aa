//! What table `Controller` asks for.

use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::Reader;

/// Primary controllers decide the fail mode; service controllers do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the schema")]
pub enum ControllerKind {
    Primary,
    Service,
}

/// One controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Controller {
    /// The row.
    pub uuid: Uuid,
    /// `tcp:127.0.0.1:6653`, `ptcp:6653`, `unix:...`, ...
    pub target: String,
    /// See [`ControllerKind`].
    pub kind: ControllerKind,
    /// Longest wait between attempts, milliseconds.
    pub max_backoff_ms: u64,
    /// Silence after which the connection is probed, milliseconds; 0 never.
    pub probe_ms: u64,
    /// Hidden flows let its connection through the bridge.
    pub in_band: bool,
    /// Send asynchronous messages without being asked.
    pub enable_async: bool,
    /// Packet-ins a second, and how many may burst.
    pub rate_limit: Option<(u32, u32)>,
}

impl Controller {
    pub(super) fn read(_reader: &mut Reader<'_>, uuid: Uuid, row: &Row) -> Self {
        let int = |column| row.int(column).and_then(|n| u64::try_from(n).ok());
        let target = row.str("target").unwrap_or_default().to_owned();
        // Passive controllers are service controllers unless the row says otherwise.
        let passive = target.starts_with('p');
        let kind = match row.str("type") {
            Some("primary") => ControllerKind::Primary,
            Some("service") => ControllerKind::Service,
            _ if passive => ControllerKind::Service,
            _ => ControllerKind::Primary,
        };
        let rate = int("controller_rate_limit").filter(|r| *r > 0);
        let burst = int("controller_burst_limit");
        let clip = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            uuid,
            target,
            kind,
            max_backoff_ms: int("max_backoff").unwrap_or(8_000).max(1_000),
            probe_ms: int("inactivity_probe").unwrap_or(5_000),
            in_band: row.str("connection_mode") != Some("out-of-band"),
            enable_async: row.bool("enable_async_messages").unwrap_or(true),
            rate_limit: rate.map(|r| {
                let rate = r.max(100);
                (clip(rate), clip(burst.unwrap_or(rate / 4).max(25)))
            }),
        }
    }
}
