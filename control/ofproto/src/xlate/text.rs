//! Texts of actions in traces.

use weir_openflow::actions::{display, format::Names};
use weir_openflow::{Action, NameMap};

/// One action.
pub(super) fn action(action: &Action, names: Option<&NameMap>) -> String {
    actions(std::slice::from_ref(action), names)
}

/// A list.
pub(super) fn actions(list: &[Action], names: Option<&NameMap>) -> String {
    display(list, Names { ports: names, tables: None }).to_string()
}
