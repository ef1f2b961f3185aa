//! The command line of ovs-ofctl(8).

use weir_openflow::Protocols;
use weir_openflow::messages::hello::VersionBitmap;
use weir_openflow::messages::nicira::PacketInFormat;
use weir_openflow::version::OfVersion;
use weir_runtime::argv::{self, Given, Opt, Order, Value};
use weir_runtime::program::Fatal;
use weir_runtime::{daemon, timeout, version, vlog};

use super::usage;

/// In the order in which `--option` lists them.
const OPTIONS: &[Opt] = &[
    Opt::required("timeout").short('t'),
    Opt::flag("strict"),
    Opt::flag("readd"),
    Opt::required("flow-format").short('F'),
    Opt::required("packet-in-format").short('P'),
    Opt::flag("more").short('m'),
    Opt::flag("timestamp"),
    Opt::optional("sort"),
    Opt::optional("rsort"),
    Opt::flag("names"),
    Opt::flag("no-names"),
    Opt::flag("stats"),
    Opt::flag("no-stats"),
    Opt::required("unixctl"),
    Opt::flag("help").short('h'),
    Opt::flag("option").short('o'),
    Opt::flag("bundle"),
    Opt::optional("color"),
    Opt::flag("may-create"),
    Opt::flag("pcap"),
    Opt::flag("raw"),
    Opt::flag("read-only"),
    Opt::flag("bad-csum"),
    Opt::flag("bare"),
];

const VERSION_OPTIONS: &[Opt] =
    &[Opt::flag("version").short('V'), Opt::required("protocols").short('O')];

/// A key to sort flows by, and the direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortKey {
    /// `priority`, or a field's name.
    pub(crate) field: String,
    /// From the highest to the lowest?
    pub(crate) descending: bool,
}

/// How a command is to run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `--strict`
    pub(crate) strict: bool,
    /// `--readd`
    pub(crate) readd: bool,
    /// The flow formats that may be used.
    pub(crate) protocols: Protocols,
    /// The OpenFlow versions that may be used.
    pub(crate) versions: VersionBitmap,
    /// `--packet-in-format`
    pub(crate) packet_in_format: Option<PacketInFormat>,
    /// How often `-m` was given.
    pub(crate) verbosity: u8,
    /// `--timestamp`
    pub(crate) timestamp: bool,
    /// `--sort`, `--rsort`
    pub(crate) sort: Vec<SortKey>,
    /// `--names`, `--no-names`; `None` lets the program choose.
    pub(crate) names: Option<bool>,
    /// `--stats`, `--no-stats`
    pub(crate) stats: bool,
    /// `--unixctl`
    pub(crate) unixctl: Option<String>,
    /// `--bundle`
    pub(crate) bundle: bool,
    /// `--may-create`
    pub(crate) may_create: bool,
    /// `--read-only`
    pub(crate) read_only: bool,
    /// `--bad-csum`
    pub(crate) bad_csum: bool,
    /// `--bare`
    pub(crate) bare: bool,
    /// `--detach`, `--pidfile` and so on, for the commands that may run in the background.
    pub(crate) daemon: daemon::Options,
}

/// What a command line asks for.
pub(super) enum Action {
    /// This text.
    Print(String),
    /// A command.
    Run(Settings, Vec<String>),
}

/// Reads a command line, and starts the timeout if it has one.
pub(super) fn parse(args: &[String]) -> Result<Action, Fatal> {
    let tables = [OPTIONS, daemon::OPTIONS, VERSION_OPTIONS, vlog::OPTIONS];
    let parsed = argv::parse(args, &tables, Order::Permute)?;
    let mut s = Settings {
        strict: false,
        readd: false,
        protocols: Protocols::ANY,
        versions: VersionBitmap(1 << OfVersion::V10.wire()),
        packet_in_format: None,
        verbosity: 0,
        timestamp: false,
        sort: Vec::new(),
        names: None,
        stats: true,
        unixctl: None,
        bundle: false,
        may_create: false,
        read_only: false,
        bad_csum: false,
        bare: false,
        daemon: daemon::Options::default(),
    };
    for given in &parsed.options {
        if vlog::handle_option(given)? || s.daemon.handle_option(given)? {
            continue;
        }
        if let Some(text) = obey(given, &mut s)? {
            return Ok(Action::Print(text));
        }
    }
    finish(&mut s)?;
    Ok(Action::Run(s, parsed.args))
}

fn obey(given: &Given, s: &mut Settings) -> Result<Option<String>, Fatal> {
    match given.id {
        "timeout" => timeout::arm(timeout::parse(given.text(), "-t or --timeout")?)?,
        "strict" => s.strict = true,
        "readd" => s.readd = true,
        "flow-format" => s.protocols = flow_formats(given.text())?,
        "packet-in-format" => {
            let format = PacketInFormat::from_name(given.text());
            let unknown = || Fatal::new(format!("unknown packet-in format `{}'", given.text()));
            s.packet_in_format = Some(format.ok_or_else(unknown)?);
        }
        "more" => s.verbosity = s.verbosity.saturating_add(1),
        "timestamp" => s.timestamp = true,
        "sort" | "rsort" => s.sort.push(SortKey {
            field: given.value.clone().unwrap_or_else(|| "priority".to_owned()),
            descending: given.id == "rsort",
        }),
        "names" => s.names = Some(true),
        "no-names" => s.names = Some(false),
        "stats" => s.stats = true,
        "no-stats" => s.stats = false,
        "unixctl" => s.unixctl = Some(given.text().to_owned()),
        "bundle" => s.bundle = true,
        "may-create" => s.may_create = true,
        "read-only" => s.read_only = true,
        "bad-csum" => s.bad_csum = true,
        "bare" => s.bare = true,
        "help" => return Ok(Some(usage::usage())),
        "option" => return Ok(Some(option_list())),
        "version" => {
            return Ok(Some(format!("{}OpenFlow versions 0x1:0x6\n", version::version_text())));
        }
        "protocols" => s.versions = versions(given.text())?,
        "color" => {
            let known = matches!(given.text(), "" | "always" | "never" | "auto");
            if !known {
                return Err(Fatal::new(format!("incorrect value `{}'", given.text())));
            }
        }
        // The daemon's options are obeyed by the commands that may run in the background.
        _ => {}
    }
    Ok(None)
}

/// `NXM,OpenFlow11`
fn flow_formats(text: &str) -> Result<Protocols, Fatal> {
    let mut all = Protocols::NONE;
    for name in text.split(',') {
        let unknown = || Fatal::new(format!("{name}: unknown flow protocol"));
        all = all | Protocols::from_name(name).ok_or_else(unknown)?;
    }
    Ok(all)
}

/// `OpenFlow10,OpenFlow13`
fn versions(text: &str) -> Result<VersionBitmap, Fatal> {
    let mut set = 0;
    for name in text.split([',', ' ']).filter(|n| !n.is_empty()) {
        let unknown = || Fatal::new(format!("Unknown OpenFlow version: \"{name}\""));
        set |= 1 << OfVersion::from_option_name(name).ok_or_else(unknown)?.wire();
    }
    if set == 0 {
        return Err(Fatal::new("No OpenFlow versions specified"));
    }
    Ok(VersionBitmap(set))
}

/// The formats of a set of versions.
fn formats_of(versions: VersionBitmap) -> Protocols {
    let there = OfVersion::ALL.into_iter().filter(|v| versions.contains(v.wire()));
    there.fold(Protocols::NONE, |all, v| all | Protocols::of_version(v))
}

/// The names of a set of versions.
pub(super) fn version_names(versions: VersionBitmap) -> String {
    let there = OfVersion::ALL.into_iter().filter(|v| versions.contains(v.wire()));
    there.map(OfVersion::option_name).collect::<Vec<_>>().join(", ")
}

fn finish(s: &mut Settings) -> Result<(), Fatal> {
    if s.bundle {
        // Bundles are there since OpenFlow 1.4, and as an extension in 1.3.
        if !s.versions.contains(OfVersion::V13.wire()) {
            s.versions.0 |= 1 << OfVersion::V14.wire();
        }
    }
    let of_versions = formats_of(s.versions);
    if !s.protocols.intersects(of_versions) {
        return Err(Fatal::new(format!(
            "None of the enabled OpenFlow versions ({}) supports any of the enabled flow formats \
             ({}).  (Use -O to enable additional OpenFlow versions or -F to enable additional flow \
             formats.)",
            version_names(s.versions),
            s.protocols
        )));
    }
    s.protocols &= of_versions;
    let usable = OfVersion::ALL
        .into_iter()
        .filter(|v| s.protocols.intersects(Protocols::of_version(*v)))
        .fold(0, |set, v| set | 1 << v.wire());
    s.versions = VersionBitmap(usable);
    Ok(())
}

fn option_list() -> String {
    let mut text = String::new();
    let tables = OPTIONS.iter().chain(daemon::OPTIONS).chain(VERSION_OPTIONS).chain(vlog::OPTIONS);
    for opt in tables {
        let (long, short) = match opt.value {
            Value::No => ("", " "),
            Value::Required => ("=ARG", " ARG"),
            Value::Optional => ("=[ARG]", " [ARG]"),
        };
        text.push_str(&format!("--{}{long}\n", opt.long));
        if let Some(c) = opt.short {
            text.push_str(&format!("-{c}{short}\n"));
        }
    }
    text
}
