//! The unixctl commands `vlog/*`.

use super::vlog;
use crate::unixctl::{Commands, Outcome};

/// Adds `vlog/*` to a program's commands.
pub fn register<C: 'static>(commands: &mut Commands<C>) {
    commands.add("vlog/set", "{spec | PATTERN:destination:pattern}", 0, usize::MAX, |_, args| {
        for spec in args {
            super::set_from_spec(spec).map_err(|error| error.to_string())?;
        }
        Outcome::empty()
    });
    commands.add("vlog/list", "", 0, 0, |_, _| Outcome::text(vlog().levels.list()));
    commands
        .add("vlog/list-pattern", "", 0, 0, |_, _| Outcome::text(vlog().outputs.list_patterns()));
    for (name, honour) in [("vlog/enable-rate-limit", true), ("vlog/disable-rate-limit", false)] {
        commands.add(name, "[module]...", 0, usize::MAX, move |_, args| {
            let mut modules = Vec::new();
            for name in args {
                if name.eq_ignore_ascii_case("ANY") {
                    modules.push(None);
                } else {
                    modules.push(Some(vlog().levels.canonical(name).ok_or("unknown module")?));
                }
            }
            if args.is_empty() {
                modules.push(None);
            }
            for module in modules {
                vlog().levels.set_rate_limits(module.as_deref(), honour);
            }
            Outcome::empty()
        });
    }
    commands.add("vlog/reopen", "", 0, 0, |_, _| {
        if super::reopen_log_file() {
            Outcome::empty()
        } else {
            Err("Logging to file not configured".into())
        }
    });
    commands.add("vlog/close", "", 0, 0, |_, _| {
        super::close_log_file();
        Outcome::empty()
    });
}
