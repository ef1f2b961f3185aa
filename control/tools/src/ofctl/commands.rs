//! The table of commands.

use std::fmt::Write;

use weir_runtime::program::{self, Fatal};

use super::{
    Settings, bundle, flows, groups, info, meters, monitor, out, packet_out, parse, ports, probe,
    tables, tlv, usage,
};

/// Runs a command with its arguments.
pub(super) type Run = fn(&Settings, &[String]) -> Result<(), Fatal>;

/// One command.
pub(super) struct Command {
    /// Its name.
    pub(super) name: &'static str,
    /// Its arguments as `list-commands` tells them.
    usage: &'static str,
    min_args: usize,
    max_args: usize,
    /// Does it change something?
    writes: bool,
    /// What it does.
    pub(super) run: Run,
}

const MANY: usize = usize::MAX;

const fn ro(name: &'static str, usage: &'static str, min: usize, max: usize, run: Run) -> Command {
    Command { name, usage, min_args: min, max_args: max, writes: false, run }
}

const fn rw(name: &'static str, usage: &'static str, min: usize, max: usize, run: Run) -> Command {
    Command { name, usage, min_args: min, max_args: max, writes: true, run }
}

/// In the order in which `list-commands` lists them.
static COMMANDS: &[Command] = &[
    ro("show", "switch", 1, 1, info::show),
    ro("monitor", "switch [misslen] [invalid_ttl] [watch:[...]]", 1, 3, monitor::monitor),
    ro("snoop", "switch", 1, 1, monitor::snoop),
    ro("dump-desc", "switch", 1, 1, info::dump_desc),
    ro("dump-tables", "switch", 1, 1, tables::dump_tables),
    ro("dump-table-features", "switch", 1, 1, tables::dump_table_features),
    ro("dump-table-desc", "switch", 1, 1, tables::dump_table_desc),
    ro("dump-flows", "switch", 1, 2, flows::dump_flows),
    ro("dump-aggregate", "switch", 1, 2, flows::dump_aggregate),
    ro("queue-stats", "switch [port [queue]]", 1, 3, ports::queue_stats),
    ro("queue-get-config", "switch [port [queue]]", 1, 3, ports::queue_get_config),
    rw("add-flow", "switch flow", 2, 2, flows::add_flow),
    rw("add-flows", "switch file", 2, 2, flows::add_flows),
    rw("mod-flows", "switch flow", 2, 2, flows::mod_flows),
    rw("del-flows", "switch [flow]", 1, 2, flows::del_flows),
    rw("replace-flows", "switch file", 2, 2, flows::replace_flows),
    ro("diff-flows", "source1 source2", 2, 2, flows::diff_flows),
    rw("add-meter", "switch meter", 2, 2, meters::add_meter),
    rw("mod-meter", "switch meter", 2, 2, meters::mod_meter),
    rw("del-meter", "switch meter", 1, 2, meters::del_meters),
    rw("del-meters", "switch", 1, 2, meters::del_meters),
    ro("dump-meter", "switch meter", 1, 2, meters::dump_meters),
    ro("dump-meters", "switch", 1, 2, meters::dump_meters),
    ro("meter-stats", "switch [meter]", 1, 2, meters::meter_stats),
    ro("meter-features", "switch", 1, 1, meters::meter_features),
    rw(
        "packet-out",
        "switch \"in_port=<port> packet=<hex data> actions=...\"",
        2,
        MANY,
        packet_out::packet_out,
    ),
    ro("dump-ports", "switch [port]", 1, 2, ports::dump_ports),
    ro("dump-ports-desc", "switch [port]", 1, 2, ports::dump_ports_desc),
    rw("mod-port", "switch iface act", 3, 3, ports::mod_port),
    rw("mod-table", "switch mod", 3, 3, tables::mod_table),
    ro("get-frags", "switch", 1, 1, info::get_frags),
    rw("set-frags", "switch frag_mode", 2, 2, info::set_frags),
    ro("probe", "target", 1, 1, probe::probe),
    ro("ping", "target [n]", 1, 2, probe::ping),
    ro("benchmark", "target n count", 3, 3, probe::benchmark),
    ro("dump-ipfix-bridge", "switch", 1, 1, info::dump_ipfix_bridge),
    ro("dump-ipfix-flow", "switch", 1, 1, info::dump_ipfix_flow),
    rw("ct-flush-zone", "switch zone", 2, 2, info::ct_flush_zone),
    ro("ofp-parse", "file", 1, 1, parse::ofp_parse),
    rw("add-group", "switch group", 1, 2, groups::add_group),
    rw("add-groups", "switch file", 1, 2, groups::add_groups),
    rw("mod-group", "switch group", 1, 2, groups::mod_group),
    rw("del-groups", "switch [group]", 1, 2, groups::del_groups),
    rw("insert-buckets", "switch [group]", 1, 2, groups::insert_buckets),
    rw("remove-buckets", "switch [group]", 1, 2, groups::remove_buckets),
    ro("dump-groups", "switch [group]", 1, 2, groups::dump_groups),
    ro("dump-group-stats", "switch [group]", 1, 2, groups::dump_group_stats),
    ro("dump-group-features", "switch", 1, 1, groups::dump_group_features),
    rw("bundle", "switch file", 2, 2, bundle::bundle),
    rw("add-tlv-map", "switch map", 2, 2, tlv::add_tlv_map),
    rw("del-tlv-map", "switch [map]", 1, 2, tlv::del_tlv_map),
    ro("dump-tlv-map", "switch", 1, 1, tlv::dump_tlv_map),
    ro("help", "", 0, MANY, help),
    ro("list-commands", "", 0, MANY, list_commands),
    // Commands to test the parsers.
    rw("parse-flow", "", 1, 1, parse::parse_flow),
    rw("parse-flows", "", 1, 1, parse::parse_flows),
    ro("parse-group", "", 1, 1, groups::parse_group),
    ro("parse-nx-match", "", 0, 0, parse::parse_nx_match),
    ro("parse-nxm", "", 0, 0, parse::parse_nx_match),
    ro("parse-oxm", "", 1, 1, parse::parse_oxm),
    ro("parse-actions", "", 1, 1, parse::parse_actions),
    ro("parse-instructions", "", 1, 1, parse::parse_instructions),
    ro("parse-ofp10-match", "", 0, 0, parse::parse_ofp10_match),
    ro("parse-ofp11-match", "", 0, 0, parse::parse_ofp11_match),
    ro("check-vlan", "", 2, 2, parse::check_vlan),
    ro("print-error", "", 1, 1, parse::print_error),
    ro("encode-error-reply", "", 2, 2, parse::encode_error_reply),
    ro("ofp-print", "", 1, 2, parse::ofp_print),
    ro("encode-hello", "", 1, 1, parse::encode_hello),
    ro("parse-key-value", "", 1, MANY, parse::parse_key_value),
    ro("compose-packet", "", 1, 2, parse::compose_packet),
    ro("parse-packet", "", 0, 0, parse::parse_packet),
];

/// Looks a command up.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.name == name)
}

impl Command {
    /// Is this number of arguments right, and may the command run?
    pub(super) fn check(&self, n: usize, read_only: bool) -> Result<(), Fatal> {
        let name = self.name;
        let wrong = if n < self.min_args {
            format!("'{name}' command requires at least {} arguments", self.min_args)
        } else if n > self.max_args {
            format!("'{name}' command takes at most {} arguments", self.max_args)
        } else if read_only && self.writes {
            format!("'{name}' command does not work in read only mode")
        } else {
            return Ok(());
        };
        Err(Fatal::new(wrong))
    }
}

fn help(_: &Settings, _: &[String]) -> Result<(), Fatal> {
    out(&usage::usage());
    Ok(())
}

fn list_commands(_: &Settings, _: &[String]) -> Result<(), Fatal> {
    let mut text = String::from("The available commands are:\n");
    for c in COMMANDS {
        let _ = writeln!(text, "  {:<23} {}", c.name, c.usage);
    }
    let _ = program::name();
    out(&text);
    Ok(())
}
