//! What this process is, when another of its kind started it: told by an environment variable,
//! which names a process id so that it means nothing to anybody else who inherits it.

use std::sync::OnceLock;

use weir_jsonrpc::Json;

/// The environment variable.
const VARIABLE: &str = "WEIR_DAEMON_STAGE";

/// What a process is to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// Nobody of its kind started it: look at the options.
    First,
    /// Start the daemon, then become [`Stage::Watch`].
    Monitor,
    /// Wait for the daemon to end. Its command line shows what it watches, so its real arguments
    /// are here.
    Watch(Watch),
    /// Serve.
    Daemon {
        /// A monitor watches.
        monitored: bool,
        /// An earlier one crashed.
        restarted: bool,
    },
}

/// What the monitor knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Watch {
    /// The daemon's process id.
    pub(super) child: i64,
    /// How often it crashed.
    pub(super) crashes: i64,
    /// What `ps` shows about it.
    pub(super) status: String,
    /// When it was last restarted, in seconds since 1970; 0 for never.
    pub(super) last_restart: i64,
    /// `argv` of the program.
    pub(super) argv: Vec<String>,
}

impl Stage {
    /// The environment variable for a process to be in this stage. The process is the child of
    /// this one, or for [`Stage::Watch`] this one itself after exec.
    pub(super) fn to_env(&self) -> (&'static str, String) {
        let me = Json::from(i64::from(std::process::id()));
        let json = match self {
            Self::First => Json::object([("stage", Json::str("first"))]),
            Self::Monitor => Json::object([("stage", Json::str("monitor")), ("parent", me)]),
            Self::Daemon { monitored, restarted } => Json::object([
                ("stage", Json::str("daemon")),
                ("parent", me),
                ("monitored", Json::Bool(*monitored)),
                ("restarted", Json::Bool(*restarted)),
            ]),
            Self::Watch(watch) => Json::object([
                ("stage", Json::str("watch")),
                ("self", me),
                ("child", Json::from(watch.child)),
                ("crashes", Json::from(watch.crashes)),
                ("status", Json::str(watch.status.as_str())),
                ("last_restart", Json::from(watch.last_restart)),
                ("argv", Json::array(watch.argv.iter().map(|arg| Json::str(arg.as_str())))),
            ]),
        };
        (VARIABLE, json.to_string())
    }

    fn from_json(json: &Json, me: i64, parent: i64) -> Option<Self> {
        let is = |member: &str, pid: i64| json.get(member).and_then(Json::as_int) == Some(pid);
        let int = |member: &str| json.get(member).and_then(Json::as_int);
        let flag = |member: &str| json.get(member).and_then(Json::as_bool);
        match json.get("stage")?.as_str()? {
            "monitor" if is("parent", parent) => Some(Self::Monitor),
            "daemon" if is("parent", parent) => {
                Some(Self::Daemon { monitored: flag("monitored")?, restarted: flag("restarted")? })
            }
            "watch" if is("self", me) => Some(Self::Watch(Watch {
                child: int("child")?,
                crashes: int("crashes")?,
                status: json.get("status")?.as_str()?.into(),
                last_restart: int("last_restart")?,
                argv: json
                    .get("argv")?
                    .as_array()?
                    .iter()
                    .map(|arg| arg.as_str().map(str::to_owned))
                    .collect::<Option<_>>()?,
            })),
            _ => None,
        }
    }
}

/// What this process is to do.
pub(super) fn current() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let me = i64::from(std::process::id());
        let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().into());
        std::env::var(VARIABLE)
            .ok()
            .and_then(|text| Json::parse(text).ok())
            .and_then(|json| Stage::from_json(&json, me, parent))
            .unwrap_or(Stage::First)
    })
}

/// Whether another process of this program started this one to serve or to watch.
pub fn is_child() -> bool {
    *current() != Stage::First
}

/// `argv[0]` of the program, if the kernel's copy shows something else.
pub(crate) fn program_argv0() -> Option<&'static str> {
    original_argv()?.first().map(String::as_str)
}

/// `argv` of the program, if the kernel's copy shows something else.
pub(crate) fn original_argv() -> Option<&'static [String]> {
    match current() {
        Stage::Watch(watch) => Some(&watch.argv),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_addressee_understands() {
        let me = i64::from(std::process::id());
        let read = |stage: &Stage, pid, parent| {
            Stage::from_json(&Json::parse(stage.to_env().1).unwrap(), pid, parent)
        };
        let daemon = Stage::Daemon { monitored: true, restarted: false };
        assert_eq!(read(&daemon, 1, me), Some(daemon.clone()));
        assert_eq!(read(&daemon, 1, me + 1), None);
        let watch = Stage::Watch(Watch {
            child: 7,
            crashes: 2,
            status: "2 crashes: pid 6 died, killed (Aborted)".into(),
            last_restart: 5,
            argv: vec!["ovsdb-server".into(), "--monitor".into()],
        });
        assert_eq!(read(&watch, me, 1), Some(watch.clone()));
        assert_eq!(read(&watch, me + 1, me), None);
        assert_eq!(read(&Stage::First, me, me), None);
    }
}
