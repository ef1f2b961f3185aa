//! Agreeing with a switch on the format of flows.

use weir_openflow::Protocols;
use weir_openflow::message::Message;
use weir_openflow::messages::nicira::flow_format;
use weir_openflow::version::OfVersion;
use weir_runtime::program::Fatal;

use super::Settings;
use super::vconn::{Service, Vconn};

/// A connection and the format that is spoken on it.
pub(super) struct FlowVconn {
    /// The connection.
    pub(super) v: Vconn,
    /// The format.
    pub(super) protocol: Protocols,
}

/// What a connection starts with.
fn initial(version: OfVersion) -> Protocols {
    Protocols::of_version(version).first().unwrap_or(Protocols::NONE)
}

fn check_usable(usable: Protocols, settings: &Settings) -> Result<Protocols, Fatal> {
    let both = usable & settings.protocols;
    if both.is_empty() {
        return Err(Fatal::new(format!(
            "none of the usable flow formats ({usable}) is among the allowed flow formats ({})",
            settings.protocols
        )));
    }
    Ok(both)
}

/// Opens a switch for flow-mods that any of `usable` can express.
pub(super) fn open_for_flow_mod(
    switch: &str,
    usable: Protocols,
    settings: &Settings,
) -> Result<FlowVconn, Fatal> {
    let both = check_usable(usable, settings)?;
    let v = Vconn::open(switch, Service::Mgmt, settings)?;
    let protocol = initial(v.version());
    let mut fv = FlowVconn { v, protocol };
    if both.intersects(fv.protocol) {
        return Ok(fv);
    }
    for want in both.iter() {
        if fv.try_set(want)? {
            return Ok(fv);
        }
    }
    Err(Fatal::new(format!("switch does not support any of the usable flow formats ({usable})")))
}

/// Opens a switch for a dump of flows; the most capable format wins.
pub(super) fn open_for_dump(
    switch: &str,
    usable: Protocols,
    settings: &Settings,
) -> Result<FlowVconn, Fatal> {
    let both = check_usable(usable, settings)?;
    let v = Vconn::open(switch, Service::Mgmt, settings)?;
    let protocol = initial(v.version());
    let mut fv = FlowVconn { v, protocol };
    // Extended matches tell everything; and a dump names tables without the extension.
    let formats = [Protocols::OF11_UP, Protocols::OF10_NXM, Protocols::OF10_STD];
    for want in formats.into_iter().flat_map(|set| (set & both).iter()) {
        if fv.try_set(want)? {
            return Ok(fv);
        }
    }
    Err(Fatal::new(format!("switch does not support any of the usable flow formats ({usable})")))
}

impl FlowVconn {
    /// Asks the switch to speak another format of the same version.
    fn try_set(&mut self, want: Protocols) -> Result<bool, Fatal> {
        if want == self.protocol {
            return Ok(true);
        }
        if want.version() != self.protocol.version() {
            return Ok(false);
        }
        let is_nxm = |p: Protocols| p.intersects(Protocols::OF10_NXM_ANY);
        if is_nxm(want) != is_nxm(self.protocol) {
            let format = if is_nxm(want) { flow_format::NXM } else { flow_format::OPENFLOW10 };
            if !self.tell(&Message::SetFlowFormat(format))? {
                return Ok(false);
            }
        }
        let names_tables = |p: Protocols| p.intersects(Protocols::TID);
        if names_tables(want) != names_tables(self.protocol)
            && !self.tell(&Message::FlowModTableId(u8::from(names_tables(want))))?
        {
            return Ok(false);
        }
        self.protocol = want;
        Ok(true)
    }

    fn tell(&mut self, message: &Message) -> Result<bool, Fatal> {
        let request = self.v.encode(message)?;
        Ok(self.v.transact_noreply(&[request])?.is_none())
    }
}
