//! `ovs-ofctl`: asks and tells an OpenFlow switch. A file for each family of commands; the command
//! table is in [`commands`].

mod bundle;
mod commands;
mod flow_format;
mod flows;
mod groups;
mod info;
mod meters;
mod monitor;
mod names;
mod options;
mod packet_out;
mod parse;
mod ports;
mod probe;
mod tables;
mod tlv;
mod usage;
mod vconn;

use std::io::Write;
use std::process::ExitCode;

use weir_runtime::program::{self, Fatal};
use weir_runtime::{argv, vlog};

pub(crate) use options::Settings;

/// Runs the program.
///
/// # Errors
/// The command line is wrong, the switch cannot be reached, or it refuses.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    let (settings, args) = match options::parse(&argv::process_args()?)? {
        options::Action::Print(text) => {
            out(&text);
            return Ok(ExitCode::SUCCESS);
        }
        options::Action::Run(settings, args) => (settings, args),
    };
    let Some((name, args)) = args.split_first() else {
        return Err(Fatal::new("missing command name; use --help for help"));
    };
    let Some(command) = commands::find(name) else {
        return Err(Fatal::new(format!("unknown command '{name}'; use --help for help")));
    };
    command.check(args.len(), settings.read_only)?;
    (command.run)(&settings, args)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints on standard output.
pub(crate) fn out(text: &str) {
    // Whoever reads may have gone away; that is no error of the command.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// Prints on standard error.
pub(crate) fn err(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What `PROGRAM: message` becomes as an error of the whole program.
pub(crate) fn fatal<T>(message: impl Into<String>) -> Result<T, Fatal> {
    Err(Fatal::new(message))
}

/// The program's name, for texts that repeat it.
pub(crate) fn program_name() -> &'static str {
    program::name()
}
