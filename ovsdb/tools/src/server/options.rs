//! The command line of `ovsdb-server`.

use std::path::PathBuf;

use weir_runtime::argv::{self, Given, Opt, Order};
use weir_runtime::program::{self, Fatal};
use weir_runtime::{daemon, dirs, version, vlog};

const OPTIONS: &[Opt] = &[
    Opt::required("remote"),
    Opt::required("unixctl"),
    Opt::required("run"),
    Opt::flag("help").short('h'),
    Opt::flag("version").short('V'),
    Opt::flag("no-dbs"),
    // ovs-ctl gives these to every server; they matter only to TLS connections.
    Opt::required("private-key").short('p'),
    Opt::required("certificate").short('c'),
    Opt::required("ca-cert").short('C'),
    Opt::required("peer-ca-cert"),
    Opt::required("bootstrap-ca-cert"),
    Opt::required("ssl-protocols"),
    Opt::required("ssl-ciphers"),
    Opt::required("ssl-ciphersuites"),
];

/// What OVS's server has and this one has not; naming them gives a better error than "unrecognized
/// option".
const UNSUPPORTED: &[Opt] = &[
    Opt::required("sync-from"),
    Opt::required("sync-exclude-tables"),
    Opt::flag("active"),
    Opt::flag("disable-file-column-diff"),
    Opt::flag("disable-file-no-data-conversion"),
    Opt::required("config-file"),
    Opt::optional("record"),
    Opt::optional("replay"),
];

/// How to serve.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) daemon: daemon::Options,
    pub(super) remotes: Vec<String>,
    pub(super) databases: Vec<PathBuf>,
    pub(super) unixctl: Option<String>,
    pub(super) run: Option<String>,
}

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Request {
    /// A text.
    Print(String),
    /// To serve.
    Serve(Box<Options>),
}

/// Reads the command line.
///
/// # Errors
/// It is wrong.
pub(super) fn parse(args: &[String]) -> Result<Request, Fatal> {
    let tables = [OPTIONS, UNSUPPORTED, daemon::OPTIONS, vlog::OPTIONS];
    let parsed = argv::parse(args, &tables, Order::Permute)?;
    let mut options = Options::default();
    let mut with_default = true;
    for given in &parsed.options {
        if vlog::handle_option(given)? || options.daemon.handle_option(given)? {
            continue;
        }
        match given.id {
            "help" => return Ok(Request::Print(usage())),
            "version" => return Ok(Request::Print(version::version_text())),
            "no-dbs" => with_default = false,
            _ => obey(given, &mut options)?,
        }
    }
    // A detached server leaves its directory, so names are made absolute first.
    let absolute = |name: &str| {
        std::path::absolute(name).map_err(|error| Fatal::os(&error, format_args!("{name}")))
    };
    options.databases = parsed.args.iter().map(|arg| absolute(arg)).collect::<Result<_, _>>()?;
    if options.databases.is_empty() && with_default {
        options.databases.push(dirs::dbdir().join("conf.db"));
    }
    Ok(Request::Serve(Box::new(options)))
}

fn obey(given: &Given, options: &mut Options) -> Result<(), Fatal> {
    let value = || given.text().to_owned();
    match given.id {
        "remote" => options.remotes.push(value()),
        "unixctl" => options.unixctl = Some(value()),
        "run" => options.run = Some(value()),
        id if UNSUPPORTED.iter().any(|opt| opt.id == id) => {
            return Err(Fatal::new(format!("option '--{id}' is not supported")));
        }
        _ => {}
    }
    Ok(())
}

fn usage() -> String {
    let name = program::name();
    format!(
        "\
{name}: Open vSwitch database server
usage: {name} [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is
{dbdir}/conf.db.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE

Active JSON-RPC connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  unix:FILE               Unix domain socket named FILE
Passive JSON-RPC connection methods:
  ptcp:PORT[:IP]          listen to TCP PORT on IP
  punix:FILE              listen on Unix domain socket FILE
{daemon}{vlog}
Other options:
  --run COMMAND           run COMMAND as subprocess then exit
  --unixctl=SOCKET        override default control socket name
  --no-dbs                serve no database but those added later
  -h, --help              display this help message
  -V, --version           display version information
",
        dbdir = dirs::dbdir().display(),
        daemon = daemon::usage(),
        vlog = vlog::usage(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Request, Fatal> {
        let args: Vec<String> = args.iter().map(|&arg| arg.into()).collect();
        parse(&args)
    }

    #[test]
    fn as_deployed_scripts_call_it() {
        let request = read(&[
            "/etc/openvswitch/conf.db",
            "-vconsole:emer",
            "--remote=punix:/var/run/openvswitch/db.sock",
            "--private-key=db:Open_vSwitch,SSL,private_key",
            "--remote=db:Open_vSwitch,Open_vSwitch,manager_options",
            "--no-chdir",
            "--pidfile=/tmp/x.pid",
            "--detach",
        ]);
        let Ok(Request::Serve(options)) = request else { panic!() };
        assert_eq!(options.remotes.len(), 2);
        assert_eq!(options.databases, [PathBuf::from("/etc/openvswitch/conf.db")]);
        assert!(options.daemon.detach && !options.daemon.chdir);
    }

    #[test]
    fn default_database_and_errors() {
        let Ok(Request::Serve(options)) = read(&[]) else { panic!() };
        assert!(options.databases[0].ends_with("conf.db"));
        let Ok(Request::Serve(options)) = read(&["--no-dbs"]) else { panic!() };
        assert!(options.databases.is_empty());
        let error = read(&["--sync-from=tcp:1.2.3.4"]).unwrap_err();
        assert_eq!(error.message, "option '--sync-from' is not supported");
        let error = read(&["--unixctl"]).unwrap_err();
        assert_eq!(error.message, "option '--unixctl' requires an argument");
    }
}
