//! What `--commands` and `--options` print: shells complete command lines with it.

use weir_runtime::argv::{Opt, Value};

use super::CommandTables;

/// `[--option] ,name,arguments`, a line each.
pub(super) fn commands<S>(tables: CommandTables<S>) -> String {
    let mut text = String::new();
    for command in tables.iter().flat_map(|t| t.iter()) {
        for option in command.options.split(',').filter(|o| !o.is_empty()) {
            text.push_str(&format!("[{option}] "));
        }
        text.push_str(&format!(",{},{}\n", command.name, command.arguments));
    }
    text
}

/// `--name=ARG` and `-n ARG`, a line each.
pub(super) fn options(tables: &[&[Opt]]) -> String {
    let mut text = String::new();
    for opt in tables.iter().flat_map(|t| t.iter()) {
        let takes = opt.value != Value::No;
        text.push_str(&format!("--{}{}\n", opt.long, if takes { "=ARG" } else { "" }));
        if let Some(short) = opt.short {
            text.push_str(&format!("-{short}{}\n", if takes { " ARG" } else { "" }));
        }
    }
    text
}
