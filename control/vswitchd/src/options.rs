//! The command line of ovs-vswitchd(8).

use std::process::ExitCode;

use weir_runtime::argv::{self, Opt, Order};
use weir_runtime::program::{Fatal, name};
use weir_runtime::{daemon, dirs, version, vlog};

const OPTIONS: &[Opt] = &[
    Opt::flag("help").short('h'),
    Opt::flag("version").short('V'),
    Opt::flag("mlockall"),
    Opt::required("unixctl"),
    Opt::optional("enable-dummy"),
    Opt::flag("disable-system"),
    Opt::flag("disable-system-route"),
    Opt::required("dummy-numa"),
    Opt::flag("hw-rawio-access"),
    Opt::optional("dpdk"),
    Opt::required("private-key").short('p'),
    Opt::required("certificate").short('c'),
    Opt::required("ca-cert").short('C'),
    Opt::required("peer-ca-cert"),
    Opt::required("bootstrap-ca-cert"),
    Opt::required("ssl-protocols"),
    Opt::required("ssl-ciphers"),
    Opt::required("ssl-ciphersuites"),
    Opt::required("ssl-server-name"),
];

/// `--enable-dummy`: which device types are taken over by dummies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dummy {
    /// There are no dummy devices.
    #[default]
    Off,
    /// Dummy devices have types of their own.
    On,
    /// `system` devices are dummies.
    System,
    /// Devices of every type are dummies.
    Override,
}

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Options {
    /// The database; `None` when none was named.
    pub remote: Option<String>,
    /// `--unixctl`.
    pub unixctl: Option<String>,
    /// `--mlockall`.
    pub mlockall: bool,
    /// `--enable-dummy`.
    pub dummy: Dummy,
    /// `--dummy-numa`: NUMA nodes of made-up cores.
    pub dummy_numa: Option<Vec<i32>>,
    /// How to become a daemon.
    pub daemon: daemon::Options,
}

/// What a command line comes to.
#[derive(Debug)]
pub enum Parsed {
    /// Serve.
    Run(Box<Options>),
    /// Everything was printed already.
    Exit(ExitCode),
}

/// Reads the process's command line. Logging options take effect at once.
///
/// # Errors
/// An option is wrong, in OVS's words.
pub fn parse() -> Result<Parsed, Fatal> {
    let args = argv::process_args()?;
    let tables = [OPTIONS, vlog::OPTIONS, daemon::OPTIONS];
    let parsed = argv::parse(&args, &tables, Order::Permute)?;
    let mut options = Options::default();
    for given in &parsed.options {
        if vlog::handle_option(given)? || options.daemon.handle_option(given)? {
            continue;
        }
        match given.id {
            "help" => {
                print!("{}", usage());
                return Ok(Parsed::Exit(ExitCode::SUCCESS));
            }
            "version" => {
                print!("{}", version::version_text());
                return Ok(Parsed::Exit(ExitCode::SUCCESS));
            }
            "mlockall" => options.mlockall = true,
            "unixctl" => options.unixctl = Some(given.text().to_owned()),
            "enable-dummy" => options.dummy = dummy(given.value.as_deref()),
            "dummy-numa" => options.dummy_numa = dummy_numa(given.text()),
            "dpdk" => {
                return Err(Fatal::new(
                    "Using --dpdk to configure DPDK is not supported. Use the other_config column \
                     of the Open_vSwitch table.",
                ));
            }
            // Accepted: Weir has neither the kernel datapath nor the system's routes to switch off.
            _ => {}
        }
    }
    match parsed.args.as_slice() {
        [] => {}
        [remote] => options.remote = Some(remote.clone()),
        _ => {
            return Err(Fatal::new(
                "at most one non-option argument accepted; use --help for usage",
            ));
        }
    }
    Ok(Parsed::Run(Box::new(options)))
}

fn dummy(value: Option<&str>) -> Dummy {
    match value {
        Some("override") => Dummy::Override,
        Some("system") => Dummy::System,
        _ => Dummy::On,
    }
}

/// The node of each core, by number; what is no number is left out.
fn dummy_numa(value: &str) -> Option<Vec<i32>> {
    let node = |text: &str| text.trim().parse().ok().filter(|node| *node >= 0);
    let nodes: Vec<i32> = value.split([',', ' ']).filter_map(node).collect();
    (!nodes.is_empty()).then_some(nodes)
}

fn usage() -> String {
    let program = name();
    let socket = dirs::rundir().join("db.sock");
    format!(
        "{program}: Open vSwitch daemon\n\
         usage: {program} [OPTIONS] [DATABASE]\n\
         where DATABASE is a socket on which ovsdb-server is listening\n\
         \x20     (default: \"unix:{}\"; without a server there, {program} serves one).\n\
         {}{}\n\
         Other options:\n\
         \x20 --unixctl=SOCKET          override default control socket name\n\
         \x20 --mlockall                keep all memory resident\n\
         \x20 --enable-dummy[=system|override]  dummy devices, for tests\n\
         \x20 --dummy-numa=LIST         made-up cores, for tests: the NUMA node of each\n\
         \x20 -h, --help                display this help message\n\
         \x20 -V, --version             display version information\n",
        socket.display(),
        daemon::usage(),
        vlog::usage(),
    )
}
