//! The commands of ovs-dpctl(8) as data: how they are spelled, how many arguments they take, who
//! carries them out.

use weir_runtime::program::Fatal;

/// Who carries a command out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `dpctl/NAME` of ovs-vswitchd.
    Daemon,
    /// This program.
    Help,
    /// This program.
    List,
    /// This program.
    ParseActions,
}

/// One command.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    /// The arguments, as `list-commands` shows them.
    usage: &'static str,
    min: usize,
    max: usize,
    /// Refused with `--read-only`.
    writes: bool,
    pub(super) place: Place,
    /// The last argument may name a file, which is read where the command runs.
    pub(super) last_is_file: bool,
}

impl Command {
    const fn new(name: &'static str, usage: &'static str, min: usize, max: usize) -> Self {
        Self { name, usage, min, max, writes: false, place: Place::Daemon, last_is_file: false }
    }

    const fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    const fn here(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    const fn file(mut self) -> Self {
        self.last_is_file = true;
        self
    }

    /// Checks the number of arguments, then whether the command may run at all.
    ///
    /// # Errors
    /// The text that says what is wrong.
    pub(super) fn check(&self, n_args: usize, read_only: bool) -> Result<(), Fatal> {
        let Self { name, min, max, .. } = self;
        if n_args < *min {
            let text = format!("'{name}' command requires at least {min} arguments");
            return Err(Fatal::new(text));
        }
        if n_args > *max {
            return Err(Fatal::new(format!("'{name}' command takes at most {max} arguments")));
        }
        if self.writes && read_only {
            let text = format!("'{name}' command does not work in read only mode");
            return Err(Fatal::new(text));
        }
        Ok(())
    }
}

const MANY: usize = usize::MAX;

const COMMANDS: &[Command] = &[
    Command::new("add-dp", "dp [iface...]", 1, MANY).writes(),
    Command::new("del-dp", "dp", 1, 1).writes(),
    Command::new("add-if", "dp iface...", 2, MANY).writes(),
    Command::new("del-if", "dp iface...", 2, MANY).writes(),
    Command::new("set-if", "dp iface...", 2, MANY).writes(),
    Command::new("dump-dps", "", 0, 0),
    Command::new("show", "[-s] [dp...]", 0, MANY),
    Command::new("dump-flows", "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]", 0, 6),
    Command::new("add-flow", "[dp] flow actions", 2, 3).writes(),
    Command::new("mod-flow", "[dp] flow actions", 2, 3).writes(),
    Command::new("get-flow", "[dp] ufid", 1, 2),
    Command::new("del-flow", "[dp] flow", 1, 2).writes(),
    Command::new("add-flows", "[dp] file", 1, 2).writes().file(),
    Command::new("mod-flows", "[dp] file", 1, 2).writes().file(),
    Command::new("del-flows", "[dp] [file]", 0, 2).writes().file(),
    Command::new("offload-stats-show", "[dp]", 0, 1),
    Command::new("dump-conntrack", "[-m] [-s] [dp] [zone=N]", 0, 4),
    Command::new("flush-conntrack", "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]", 0, 4)
        .writes(),
    Command::new("cache-get-size", "[dp]", 0, 1),
    Command::new("cache-set-size", "dp cache <size>", 3, 3).writes(),
    Command::new("ct-stats-show", "[dp] [zone=N]", 0, 3),
    Command::new("ct-bkts", "[dp] [gt=N]", 0, 2),
    Command::new("ct-set-maxconns", "[dp] maxconns", 1, 2).writes(),
    Command::new("ct-get-maxconns", "[dp]", 0, 1),
    Command::new("ct-get-nconns", "[dp]", 0, 1),
    Command::new("ct-enable-tcp-seq-chk", "[dp]", 0, 1),
    Command::new("ct-disable-tcp-seq-chk", "[dp]", 0, 1),
    Command::new("ct-get-tcp-seq-chk", "[dp]", 0, 1),
    Command::new("ct-set-limits", "[dp] [default=L] [zone=N,limit=L]...", 1, MANY),
    Command::new("ct-del-limits", "[dp] zone=N1[,N2]...", 1, 2),
    Command::new("ct-get-limits", "[dp] [zone=N1[,N2]...]", 0, 2),
    Command::new("ipf-set-enabled", "[dp] v4|v6", 1, 2).writes(),
    Command::new("ipf-set-disabled", "[dp] v4|v6", 1, 2).writes(),
    Command::new("ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3).writes(),
    Command::new("ipf-set-max-nfrags", "[dp] maxfrags", 1, 2).writes(),
    Command::new("ipf-get-status", "[dp]", 0, 1),
    Command::new("help", "", 0, MANY).here(Place::Help),
    Command::new("list-commands", "", 0, MANY).here(Place::List),
    Command::new("parse-actions", "actions", 1, MANY).here(Place::ParseActions),
    Command::new("normalize-actions", "actions", 2, MANY),
];

/// The command of this name.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// What `list-commands` prints.
pub(super) fn listing() -> String {
    let mut text = String::from("The available commands are:\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<23} {}\n", command.name, command.usage));
    }
    text
}
