//! The ports that run: opens, changes and closes them in the packet engine as the plan says, one by
//! one, so that a port that cannot be had does not keep others from working.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_engine::{Engine, PortConfig, PortError};
use weir_flow::PortNo;

use crate::links::News;
use crate::numbering::choose_dp_port;
use crate::plan::{Wants, difference};

/// A port of the engine.
#[derive(Clone, Debug)]
pub struct RunningPort {
    /// Its datapath number.
    pub no: PortNo,
    /// As it was last asked for.
    pub config: PortConfig,
}

/// Why a device could not be opened; of one that is not there, just that, as scripts expect it.
fn reason(error: &PortError) -> String {
    match error {
        PortError::Netdev(e) if e.is_missing() => "No such device".to_owned(),
        _ => error.to_string(),
    }
}

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub struct Ports {
    running: BTreeMap<String, RunningPort>,
    /// Why a wanted port does not run, or not as wanted.
    errors: BTreeMap<String, String>,
}

impl Ports {
    /// Makes the engine's ports what is wanted. Ports that failed before are tried again.
    pub fn apply(&mut self, engine: &Arc<Engine>, wants: &Wants) {
        self.errors.clone_from(&wants.refused);
        // A device may have gone since it was opened.
        self.running.retain(|_, p| engine.port_status(p.no).is_some());
        let running = self.running.iter().map(|(n, p)| (n, &p.config));
        let diff = difference(running, wants);
        for name in &diff.remove {
            if let Some(port) = self.running.remove(name) {
                engine.remove_port(port.no);
                log::info!(target: "bridge", "port {name} removed from the datapath");
            }
        }
        for name in &diff.change {
            let (Some(port), Some(wanted)) = (self.running.get_mut(name), wants.ports.get(name))
            else {
                continue;
            };
            match engine.change_port(port.no, wanted.config.clone()) {
                Ok(()) => port.config = wanted.config.clone(),
                Err(e) => self.failed(name, &e),
            }
        }
        for name in &diff.add {
            let Some(wanted) = wants.ports.get(name) else { continue };
            let taken = |no| self.running.values().any(|p| p.no == no);
            let Some(no) = choose_dp_port(name, wanted.dummy, taken) else {
                self.errors.insert(name.clone(), "the datapath has no free port number".into());
                continue;
            };
            match engine.add_port(no, wanted.config.clone()) {
                Ok(()) => {
                    let config = wanted.config.clone();
                    self.running.insert(name.clone(), RunningPort { no, config });
                }
                Err(e) => self.failed(name, &e),
            }
        }
        // A device that could not be changed may not run any more.
        self.running.retain(|_, p| engine.port_status(p.no).is_some());
    }

    /// Would another attempt at making the ports what is wanted change something, now that devices
    /// came or went?
    #[must_use]
    pub fn concerns(&self, news: &News) -> bool {
        let runs = |name: &String| self.running.contains_key(name);
        let fails = |name: &String| self.errors.contains_key(name);
        news.lost || news.gone.iter().any(runs) || news.changed.iter().any(fails)
    }

    /// Gives a port another address.
    pub fn set_mac(&mut self, engine: &Arc<Engine>, name: &str, mac: [u8; 6]) {
        let Some(port) = self.running.get_mut(name) else { return };
        if port.config.mac == Some(mac) {
            return;
        }
        let config = PortConfig { mac: Some(mac), ..port.config.clone() };
        match engine.change_port(port.no, config.clone()) {
            Ok(()) => port.config = config,
            Err(e) => log::warn!(target: "bridge", "{name}: cannot set its address ({e})"),
        }
    }

    fn failed(&mut self, name: &str, error: &PortError) {
        let text = format!("could not open network device {name} ({})", reason(error));
        log::warn!(target: "bridge", "{text}");
        self.errors.insert(name.to_owned(), text);
    }

    /// A port by interface name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RunningPort> {
        self.running.get(name)
    }

    /// The ports, by interface name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &RunningPort)> {
        self.running.iter()
    }

    /// The name of the port with a datapath number.
    #[must_use]
    pub fn name_of(&self, no: PortNo) -> Option<&str> {
        self.running.iter().find(|(_, p)| p.no == no).map(|(n, _)| n.as_str())
    }

    /// Why an interface does not work.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }
}
