//! `upcall/*`, `revalidator/*`, `memory/show`: megaflows and their upkeep.

use std::collections::BTreeMap;

use weir_jsonrpc::Json;
use weir_runtime::memory;
use weir_runtime::unixctl::{Commands, Outcome};

use crate::switchd::Switchd;

pub(super) fn register(commands: &mut Commands<Switchd>) {
    commands.add("upcall/show", "", 0, 0, |s: &mut Switchd, _| {
        let Some(engine) = &s.engine else { return Outcome::empty() };
        let sum = s.revalidator.summary();
        let current = weir_flow::Datapath::n_flows(&**engine);
        Outcome::text(format!(
            "{}:\n  flows         : (current {current}) (avg {}) (max {}) (limit {})\n  \
             dump duration : {}ms\n  ufid enabled : true\n\n  7: (keys {current})\n",
            s.dp_name(),
            sum.avg_flows,
            sum.max_flows,
            sum.flow_limit,
            sum.dump_ms.max(1),
        ))
    });
    commands.add("upcall/set-flow-limit", "flow-limit-number", 1, 1, |s: &mut Switchd, args| {
        let limit = args[0].parse().map_err(|_| format!("{}: not a number", args[0]))?;
        if let Some(engine) = &s.engine {
            engine.set_flow_limit(limit);
        }
        Outcome::text(format!("set flow_limit to {limit}\n"))
    });
    commands.add("upcall/disable-megaflows", "", 0, 0, |s: &mut Switchd, _| {
        set_megaflows(s, false);
        Outcome::text("megaflows disabled\n")
    });
    commands.add("upcall/enable-megaflows", "", 0, 0, |s: &mut Switchd, _| {
        set_megaflows(s, true);
        Outcome::text("megaflows enabled\n")
    });
    commands.add_deferred("revalidator/wait", "", 0, 0, |s: &mut Switchd, _, reply| {
        s.revalidator.wait(reply);
    });
    commands.add_deferred("revalidator/purge", "", 0, 0, |s: &mut Switchd, _, reply| {
        s.revalidator.purge(reply);
    });
    commands.add("revalidator/pause", "", 0, 0, |s: &mut Switchd, _| {
        s.revalidator.pause(true);
        Outcome::empty()
    });
    commands.add("revalidator/resume", "", 0, 0, |s: &mut Switchd, _| {
        s.revalidator.pause(false);
        Outcome::empty()
    });
    commands.add("memory/show", "", 0, 0, |s: &mut Switchd, _| {
        let usage = s.memory_usage();
        let clip = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let json = Json::object(usage.iter().map(|(k, v)| (k.as_str(), clip(*v))));
        Outcome::with_json(memory::format_usage(&usage), json)
    });
}

/// Megaflows that are there were made under the other setting: they go.
fn set_megaflows(state: &Switchd, on: bool) {
    state.switch.set_exact(!on);
    if let Some(engine) = &state.engine {
        engine.flush_flows();
    }
}

/// Counts for `memory/show`, by name.
pub(crate) fn usage(state: &Switchd) -> BTreeMap<String, u64> {
    let mut usage = BTreeMap::new();
    let mut put = |k: &str, n: usize| {
        usage.insert(k.to_owned(), n as u64);
    };
    let bridges = state.switch.bridges();
    let rules: usize = bridges.iter().map(|b| b.lock().flows.len()).sum();
    let ports: usize = bridges.iter().map(|b| b.lock().ports.len()).sum();
    put("rules", rules);
    put("ports", ports);
    put("revalidators", 1);
    if let Some(engine) = &state.engine {
        put("udpif keys", weir_flow::Datapath::n_flows(&**engine));
    }
    usage
}
