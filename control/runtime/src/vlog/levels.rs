//! The level of every module for every destination, and which modules exist.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::level::{Destination, Level};
use super::modules;

/// One module's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModuleLevels {
    /// By [`Destination`].
    pub(super) by_destination: [Level; 3],
    /// False after `vlog/disable-rate-limit`.
    pub(super) honour_rate_limits: bool,
}

impl ModuleLevels {
    const DEFAULT: Self = Self { by_destination: [Level::Info; 3], honour_rate_limits: true };

    pub(super) fn level(self, destination: Destination) -> Level {
        let [syslog, console, file] = self.by_destination;
        match destination {
            Destination::Syslog => syslog,
            Destination::Console => console,
            Destination::File => file,
        }
    }

    fn set(&mut self, destination: Option<Destination>, level: Level) {
        for (slot, dest) in self.by_destination.iter_mut().zip(Destination::ALL) {
            if destination.is_none_or(|wanted| wanted == dest) {
                *slot = level;
            }
        }
    }
}

struct Table {
    modules: BTreeMap<String, ModuleLevels>,
    /// What a module gets that is seen for the first time.
    default: ModuleLevels,
}

/// See the file's head.
pub(super) struct Levels(RwLock<Table>);

impl Levels {
    pub(super) fn new() -> Self {
        let levels =
            Self(RwLock::new(Table { modules: BTreeMap::new(), default: ModuleLevels::DEFAULT }));
        levels.register(modules::LIBRARY);
        levels
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, names: &[&'static str]) {
        let mut table = self.write();
        let default = table.default;
        for &name in names {
            table.modules.entry(name.into()).or_insert(default);
        }
    }

    pub(super) fn get(&self, module: &str) -> ModuleLevels {
        let table = self.read();
        table.modules.get(module).copied().unwrap_or(table.default)
    }

    pub(super) fn contains(&self, module: &str) -> bool {
        self.canonical(module).is_some()
    }

    /// The module's name as registered; names are compared without regard to case.
    pub(super) fn canonical(&self, module: &str) -> Option<String> {
        let table = self.read();
        table.modules.keys().find(|name| name.eq_ignore_ascii_case(module)).cloned()
    }

    /// The loudest levels of any module.
    pub(super) fn highest(&self) -> ModuleLevels {
        let table = self.read();
        let mut highest = table.default;
        for levels in table.modules.values() {
            for (slot, level) in highest.by_destination.iter_mut().zip(levels.by_destination) {
                *slot = (*slot).max(level);
            }
        }
        highest
    }

    pub(super) fn set(&self, module: Option<&str>, destination: Option<Destination>, level: Level) {
        let mut table = self.write();
        match module {
            None => {
                table.default.set(destination, level);
                for levels in table.modules.values_mut() {
                    levels.set(destination, level);
                }
            }
            Some(module) => {
                let default = table.default;
                let levels = table.modules.entry(module.into()).or_insert(default);
                levels.set(destination, level);
            }
        }
    }

    pub(super) fn set_rate_limits(&self, module: Option<&str>, honour: bool) {
        let mut table = self.write();
        if module.is_none() {
            table.default.honour_rate_limits = honour;
        }
        for (name, levels) in &mut table.modules {
            if module.is_none_or(|wanted| wanted == name) {
                levels.honour_rate_limits = honour;
            }
        }
    }

    /// The text of `vlog/list`.
    pub(super) fn list(&self) -> String {
        let mut text = String::from(
            "                 console    syslog    file\n\
             \x20                -------    ------    ------\n",
        );
        for (name, levels) in &self.read().modules {
            text.push_str(&format!(
                "{name:<16}  {:>4}       {:>4}       {:>4}",
                levels.level(Destination::Console),
                levels.level(Destination::Syslog),
                levels.level(Destination::File)
            ));
            if !levels.honour_rate_limits {
                text.push_str("    (rate limiting disabled)");
            }
            text.push('\n');
        }
        text
    }
}

/// Whether `vlog/set` accepts this module.
pub fn is_known_module(module: &str) -> bool {
    super::vlog().levels.contains(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_looks_like_ovs() {
        let levels = Levels::new();
        levels.register(&["backtrace", "dpif_lookup_autovalidator"]);
        levels.set(None, Some(Destination::Console), Level::Off);
        levels.set(None, Some(Destination::File), Level::Dbg);
        let list = levels.list();
        assert!(list.starts_with(
            "                 console    syslog    file\n                 -------    ------    ------\n"
        ));
        assert!(list.contains("\nbacktrace          OFF       INFO        DBG\n"));
        assert!(list.contains("\ndpif_lookup_autovalidator   OFF       INFO        DBG\n"));
    }

    #[test]
    fn one_module_one_destination() {
        let levels = Levels::new();
        assert_eq!(levels.canonical("no_such"), None);
        levels.register(&["ofproto_dpif"]);
        assert_eq!(levels.canonical("OFPROTO_dpif").as_deref(), Some("ofproto_dpif"));
        levels.set(Some("ofproto_dpif"), Some(Destination::Syslog), Level::Err);
        assert_eq!(
            levels.get("ofproto_dpif").by_destination,
            [Level::Err, Level::Info, Level::Info]
        );
        assert_eq!(levels.get("other").by_destination, [Level::Info; 3]);
        levels.set_rate_limits(Some("ofproto_dpif"), false);
        assert!(!levels.get("ofproto_dpif").honour_rate_limits);
        assert!(levels.get("other").honour_rate_limits);
    }
}
