//! `ovs-dpctl`: commands the datapath.
//!
//! OVS's own program opens the kernel's datapath. Weir's datapath lives in ovs-vswitchd, so this
//! one checks the command line as OVS does, hands the command to the `dpctl/*` commands of the
//! running daemon, and says what comes back as ovs-dpctl(8) would.

mod commands;
mod options;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use weir_flow::odp::{self, Style};
use weir_runtime::program::{self, Fatal};
use weir_runtime::unixctl::{Client, find_target};
use weir_runtime::{argv, vlog};

use commands::{Command, Place};
use options::Action;

/// The daemon that has the datapath.
const DAEMON: &str = "ovs-vswitchd";

/// Runs the program.
///
/// # Errors
/// The command line is wrong, no daemon runs, or the command failed.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    let settings = match options::parse(&argv::process_args()?)? {
        Action::Print(text) => {
            print!("{text}");
            return Ok(ExitCode::SUCCESS);
        }
        Action::Run(settings) => settings,
    };
    let Some((name, args)) = settings.args.split_first() else {
        return Err(Fatal::new("missing command name; use --help for help"));
    };
    let Some(command) = commands::find(name) else {
        return Err(Fatal::new(format!("unknown command '{name}'; use --help for help")));
    };
    command.check(args.len(), settings.read_only)?;
    match command.place {
        Place::Help => print!("{}", options::usage()),
        Place::List => print!("{}", commands::listing()),
        Place::ParseActions => return parse_actions(args),
        Place::Daemon => return ask_daemon(command, &settings.forwarded, args),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints action lists as the datapath understands them, up to one that it does not.
fn parse_actions(args: &[String]) -> Result<ExitCode, Fatal> {
    for arg in args {
        let list = odp::parse_actions(arg, None)
            .map_err(|_| Fatal::new("odp_actions_from_string (Invalid argument)"))?;
        println!("{}", odp::format_actions(&list, &Style::default()));
    }
    Ok(ExitCode::SUCCESS)
}

fn ask_daemon(command: &Command, options: &[&str], args: &[String]) -> Result<ExitCode, Fatal> {
    let no_daemon = |why: Fatal| {
        Fatal::new(format!("no datapath, because {DAEMON} is not running: {}", why.message))
    };
    let socket = find_target(DAEMON).map_err(no_daemon)?;
    let mut client = Client::connect(&socket).map_err(|error| {
        let what = format!("cannot connect to \"{}\"", Path::display(&socket));
        no_daemon(Fatal::os(&error, what))
    })?;
    let mut params: Vec<String> = options.iter().map(|&option| option.into()).collect();
    params.extend_from_slice(args);
    if command.last_is_file
        && let Some(file) = params.last_mut()
    {
        absolute(file);
    }
    let method = format!("dpctl/{}", command.name);
    let answer = client
        .transact(&method, &params)
        .map_err(|error| Fatal::new(format!("{DAEMON}: {error}")))?;
    match answer {
        Ok(answer) => {
            let text = answer.as_str().map_or_else(|| format!("{answer}\n"), str::to_owned);
            print(&text);
            Ok(ExitCode::SUCCESS)
        }
        Err(text) => {
            // The daemon mixes what it found and what failed into one text.
            let prefix = format!("{DAEMON}: ");
            for line in text.lines() {
                match line.strip_prefix(&prefix) {
                    Some(error) => eprintln!("{}: {error}", program::name()),
                    None if is_error(line, &text) => eprintln!("{}: {line}", program::name()),
                    None => print(&format!("{line}\n")),
                }
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

/// An answer of one line is the error itself; in a longer one only lines with the daemon's name are.
fn is_error(line: &str, whole: &str) -> bool {
    whole.trim_end() == line
}

fn print(text: &str) {
    // Whoever reads may have gone away; that is no error of the command.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The daemon has another working directory than its caller.
fn absolute(file: &mut String) {
    let path = Path::new(file.as_str());
    let full = path.exists().then(|| std::path::absolute(path).ok()).flatten();
    if let Some(full) = full.as_deref().and_then(Path::to_str) {
        *file = full.to_owned();
    }
}
