//! ovs-vsctl: changes the configuration of ovs-vswitchd in its database.
//!
//! | file | is |
//! | --- | --- |
//! | `state.rs` | what the commands of one call share |
//! | `model.rs` | [`model::Model`]: bridges, fake bridges, ports and interfaces by name |
//! | `setup.rs` | `init`, `emer-reset` |
//! | `bridge.rs` | `add-br del-br list-br br-exists br-to-vlan br-to-parent`, external ids |
//! | `port.rs` | `add-port add-bond del-port list-ports port-to-br` |
//! | `bond_iface.rs` | `add-bond-iface del-bond-iface` |
//! | `iface.rs` | `list-ifaces iface-to-br` |
//! | `controller.rs` | controllers and the fail mode |
//! | `manager.rs` | managers |
//! | `ssl.rs` | keys and certificates |
//! | `auto_attach.rs` | Auto Attach mappings |
//! | `conntrack_zone.rs` | timeout policies and limits of conntrack zones |
//! | `datapath.rs` | `list-dp-cap` |
//! | `reload.rs` | waits until ovs-vswitchd has obeyed, and says what it could not do |
//! | `usage.rs` | the text of `--help` |

mod auto_attach;
mod bond_iface;
mod bridge;
mod conntrack_zone;
mod controller;
mod datapath;
mod iface;
mod manager;
mod model;
mod port;
mod reload;
mod setup;
mod ssl;
mod state;
mod usage;

use std::process::ExitCode;

use weir_ovsdb::schemas;
use weir_runtime::program::Fatal;

use crate::ctl::db::{self, ShowTable};
use crate::ctl::{Arity, Command, CommandTables, Context, Invocation, RecordId, TableNames, Tool};
use state::Vsctl;

type Ctx<'a> = Context<'a, Vsctl>;
type Cmd = Invocation<Vsctl>;
type VsctlCommand = Command<Vsctl>;

const DATABASE: &[VsctlCommand] = &db::commands();

const COMMANDS: CommandTables<Vsctl> = &[
    setup::COMMANDS,
    bridge::COMMANDS,
    port::COMMANDS,
    bond_iface::COMMANDS,
    iface::COMMANDS,
    controller::COMMANDS,
    manager::COMMANDS,
    ssl::COMMANDS,
    auto_attach::COMMANDS,
    conntrack_zone::COMMANDS,
    datapath::COMMANDS,
    DATABASE,
];

const BY_NAME: &[RecordId] = &[RecordId::Column("name")];

const NAMES: TableNames = &[
    ("AutoAttach", &[RecordId::Via("Bridge", "name", "auto_attach")]),
    ("Bridge", BY_NAME),
    ("Controller", &[RecordId::Via("Bridge", "name", "controller")]),
    ("Flow_Sample_Collector_Set", &[RecordId::Column("id")]),
    ("Flow_Table", BY_NAME),
    ("IPFIX", &[RecordId::Via("Bridge", "name", "ipfix")]),
    ("Interface", BY_NAME),
    ("Manager", &[RecordId::Column("target")]),
    ("Mirror", BY_NAME),
    ("NetFlow", &[RecordId::Via("Bridge", "name", "netflow")]),
    ("Open_vSwitch", &[RecordId::Only]),
    ("Port", BY_NAME),
    ("QoS", &[RecordId::Via("Port", "name", "qos")]),
    ("SSL", &[RecordId::OnlyVia("Open_vSwitch", "ssl")]),
    ("sFlow", &[RecordId::Via("Bridge", "name", "sflow")]),
];

const SHOW: &[ShowTable] = &[
    ShowTable {
        table: "Open_vSwitch",
        name: None,
        columns: &["manager_options", "bridges", "ovs_version"],
    },
    ShowTable {
        table: "Bridge",
        name: Some("name"),
        columns: &["controller", "fail_mode", "datapath_type", "ports"],
    },
    ShowTable { table: "Port", name: Some("name"), columns: &["tag", "trunks", "interfaces"] },
    ShowTable { table: "Interface", name: Some("name"), columns: &["type", "options", "error"] },
    ShowTable { table: "Controller", name: Some("target"), columns: &["is_connected"] },
    ShowTable { table: "Manager", name: Some("target"), columns: &["is_connected"] },
];

static TOOL: Tool<Vsctl> = Tool {
    name: "ovs-vsctl",
    module: "vsctl",
    database: "Open_vSwitch",
    schema: schemas::vswitch,
    root_table: "Open_vSwitch",
    sequence_column: "next_cfg",
    reported: &[("Open_vSwitch", &["cur_cfg"]), ("Interface", &["name", "ofport", "error"])],
    commands: COMMANDS,
    names: NAMES,
    show: SHOW,
    usage: usage::usage,
    after_commit: reload::after_commit,
};

/// What the commands about bridges and ports read.
const INFO: &[(&str, &[&str])] = &[
    ("Open_vSwitch", &["bridges"]),
    ("Bridge", &["name", "controller", "fail_mode", "ports", "external_ids"]),
    ("Port", &["name", "fake_bridge", "tag", "interfaces", "external_ids"]),
    ("Interface", &["name"]),
    ("Controller", &["target"]),
];

const fn arity(min: usize, max: usize) -> Arity {
    Arity { min, max }
}

const ANY: usize = usize::MAX;

/// Runs the program.
///
/// # Errors
/// Anything that makes it fail, in OVS's words.
pub fn main() -> Result<ExitCode, Fatal> {
    crate::ctl::main(&TOOL)
}
