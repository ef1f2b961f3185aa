//! `ovs-appctl`: sends one command to a running daemon and prints the answer.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use weir_jsonrpc::Json;
use weir_runtime::argv::{self, Given, Opt, Order};
use weir_runtime::program::{self, Fatal};
use weir_runtime::unixctl::{Client, TransactError, find_target};
use weir_runtime::{timeout, version, vlog};

/// What is asked when no target is given.
const DEFAULT_TARGET: &str = "ovs-vswitchd";
/// The exit code when the daemon answers with an error.
const SERVER_ERROR: u8 = 2;

const OPTIONS: &[Opt] = &[
    Opt::required("target").short('t'),
    Opt::flag("execute").short('e'),
    Opt::flag("help").short('h'),
    Opt::flag("option").short('o'),
    Opt::required("timeout").short('T'),
    Opt::flag("version").short('V'),
    Opt::required("format").short('f'),
    Opt::flag("pretty"),
];

#[derive(Debug)]
struct Settings {
    target: String,
    json: bool,
    pretty: bool,
}

/// Runs the program.
///
/// # Errors
/// The command line is wrong, or the daemon cannot be reached.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    let args = argv::process_args()?;
    let parsed = argv::parse(&args, &[OPTIONS, vlog::OPTIONS], Order::StopAtFirst)?;
    let mut settings = Settings { target: DEFAULT_TARGET.into(), json: false, pretty: false };
    for given in &parsed.options {
        if vlog::handle_option(given)? {
            continue;
        }
        if let Some(text) = obey(given, &mut settings)? {
            print!("{text}");
            return Ok(ExitCode::SUCCESS);
        }
    }
    let Some((command, args)) = parsed.args.split_first() else {
        return Err(Fatal::new(
            "at least one non-option argument is required (use --help for help)",
        ));
    };
    run(&settings, command, args)
}

/// Obeys one option; the text that some options print instead of running anything.
fn obey(given: &Given, settings: &mut Settings) -> Result<Option<String>, Fatal> {
    match given.id {
        "target" => settings.target = given.text().into(),
        "execute" => {
            return Err(Fatal::new("-e or --execute is no longer supported; use a plain command"));
        }
        "timeout" => timeout::arm(timeout::parse(given.text(), "-T or --timeout")?)?,
        "format" => match given.text() {
            "text" => settings.json = false,
            "json" => settings.json = true,
            other => {
                return Err(Fatal::new(format!("value {other} on -f or --format is invalid")));
            }
        },
        "pretty" => settings.pretty = true,
        "help" => return Ok(Some(usage())),
        "version" => return Ok(Some(version::version_text())),
        _ => return Ok(Some(option_list())),
    }
    Ok(None)
}

fn run(settings: &Settings, command: &str, args: &[String]) -> Result<ExitCode, Fatal> {
    let socket = find_target(&settings.target)?;
    let mut client = Client::connect(&socket).map_err(|error| {
        Fatal::os(&error, format_args!("cannot connect to \"{}\"", Path::display(&socket)))
    })?;
    let broken = |error: TransactError| Fatal::new(format!("{}: {error}", settings.target));
    let server_error = |text: &str| {
        eprint!("{text}");
        eprintln!("{}: {}: server returned an error", program::name(), settings.target);
        Ok(ExitCode::from(SERVER_ERROR))
    };
    if settings.json {
        let options = ["--format".to_owned(), "json".to_owned()];
        if let Err(text) = client.transact("set-options", &options).map_err(broken)? {
            return server_error(&text);
        }
    }
    match client.transact(command, args).map_err(broken)? {
        Err(text) => server_error(&text),
        Ok(answer) => {
            let text = match answer {
                Json::Str(text) => text.to_string(),
                other if settings.pretty => other.to_pretty() + "\n",
                other => format!("{other}\n"),
            };
            // Whoever reads may have gone away; that is no error of the command.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn option_list() -> String {
    let mut text = String::new();
    for opt in OPTIONS.iter().chain(vlog::OPTIONS) {
        let value = match opt.value {
            argv::Value::No => "",
            argv::Value::Required => "=ARG",
            argv::Value::Optional => "[=ARG]",
        };
        text.push_str(&format!("--{}{value}\n", opt.long));
    }
    text
}

fn usage() -> String {
    let name = program::name();
    format!(
        "\
{name}, for querying and controlling Open vSwitch daemon
usage: {name} [TARGET] COMMAND [ARG...]
Targets:
  -t, --target=TARGET  pidfile or socket to contact
Common commands:
  list-commands      List commands supported by the target
  version            Print version of the target
  vlog/list          List current logging levels
  vlog/list-pattern  List logging patterns for each destination.
  vlog/set [SPEC]
      Set log levels as detailed in SPEC, which may include:
      A valid module name (all modules, by default)
      'syslog', 'console', 'file' (all destinations, by default))
      'off', 'emer', 'err', 'warn', 'info', or 'dbg' ('dbg', bydefault)
  vlog/reopen        Make the program reopen its log file
Other options:
  --timeout=SECS     wait at most SECS seconds for a response
  -f, --format=FMT   Output format. One of: 'json', or 'text'
                     ('text', by default)
  --pretty           Pretty-print JSON output
  -h, --help         Print this helpful information
  -V, --version      Display {name} version information
"
    )
}
