//! Splits a command line into commands at `--` and checks each against the table of commands.

use std::collections::BTreeMap;

use super::{Context, CtlError, Needs};

/// How many arguments a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// At least so many.
    pub min: usize,
    /// At most so many; `usize::MAX` for any number.
    pub max: usize,
}

/// One command, as data. `S` is what a tool keeps beside the database.
#[derive(Debug)]
pub struct Command<S: 'static> {
    /// Its name.
    pub name: &'static str,
    /// How many arguments follow the name.
    pub arity: Arity,
    /// The arguments, for `--commands`.
    pub arguments: &'static str,
    /// Its options, separated by commas: `--flag`, `--needs=`.
    pub options: &'static str,
    /// Does it change nothing?
    pub read_only: bool,
    /// What it reads.
    pub needs: Needs,
    /// What it does.
    pub run: fn(&mut Context<'_, S>, &Invocation<S>) -> Result<(), CtlError>,
}

/// The commands of a tool, in the order in which they are listed.
pub type CommandTables<S> = &'static [&'static [Command<S>]];

/// One command of the command line.
#[derive(Debug)]
pub struct Invocation<S: 'static> {
    /// What it is.
    pub command: &'static Command<S>,
    /// Its arguments, without the name.
    pub args: Vec<String>,
    /// Its options, by name with the dashes.
    pub options: BTreeMap<String, Option<String>>,
}

impl<S> Invocation<S> {
    /// Was the option given?
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.options.contains_key(option)
    }

    /// The option's value.
    #[must_use]
    pub fn option(&self, option: &str) -> Option<&str> {
        self.options.get(option)?.as_deref()
    }

    /// The n-th argument; the empty string when the command allows to leave it out.
    #[must_use]
    pub fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", String::as_str)
    }
}

/// Splits `args` at `--`; `leading` are options that were found before the first command.
///
/// # Errors
/// The first command that does not fit the table, in OVS's words.
pub fn parse_commands<S>(
    args: &[String],
    leading: &[(String, Option<String>)],
    tables: CommandTables<S>,
) -> Result<Vec<Invocation<S>>, CtlError> {
    let mut invocations = Vec::new();
    let mut leading = Some(leading).filter(|l| !l.is_empty());
    for words in args.split(|a| a == "--") {
        // An empty stretch stands between two `--`, or before the first.
        if words.is_empty() && leading.is_none() {
            continue;
        }
        invocations.push(parse_command(words, leading.take().unwrap_or_default(), tables)?);
    }
    if invocations.is_empty() {
        return Err(CtlError::fatal("missing command name (use --help for help)"));
    }
    Ok(invocations)
}

fn parse_command<S>(
    words: &[String],
    leading: &[(String, Option<String>)],
    tables: CommandTables<S>,
) -> Result<Invocation<S>, CtlError> {
    let n_options = words.iter().take_while(|w| w.starts_with('-')).count();
    let (given, rest) = words.split_at(n_options);
    let mut options: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (name, value) in leading {
        options.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for word in given {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.clone(), None),
        };
        if options.insert(name, value).is_some() {
            return Err(CtlError::fatal(format!("'{word}' option specified multiple times")));
        }
    }
    let Some((name, args)) = rest.split_first() else {
        return Err(CtlError::fatal("missing command name (use --help for help)"));
    };
    let Some(command) = tables.iter().flat_map(|t| t.iter()).find(|c| c.name == name) else {
        return Err(CtlError::fatal(format!("unknown command '{name}'; use --help for help")));
    };
    for (option, value) in &options {
        check_option(command.name, command.options, option, value.is_some())?;
    }
    let Arity { min, max } = command.arity;
    if args.len() < min {
        let text = format!("'{name}' command requires at least {min} arguments");
        return Err(CtlError::fatal(text));
    }
    if args.len() > max {
        let hint = if args.iter().any(|a| a.starts_with('-')) {
            " (note that options must precede command names and follow a \"--\" argument)"
        } else {
            ""
        };
        let text = format!("'{name}' command takes at most {max} arguments{hint}");
        return Err(CtlError::fatal(text));
    }
    Ok(Invocation { command, args: args.to_vec(), options })
}

fn check_option(name: &str, known: &str, option: &str, has_value: bool) -> Result<(), CtlError> {
    let form = known.split(',').find(|k| k.trim_end_matches('=') == option);
    match form.map(|f| f.chars().last()) {
        None => Err(CtlError::fatal(format!("'{name}' command has no '{option}' option"))),
        Some(Some('=')) if !has_value => {
            let text = format!("missing argument to '{option}' option on '{name}' command");
            Err(CtlError::fatal(text))
        }
        Some(Some(c)) if c != '=' && has_value => {
            let text = format!("'{option}' option on '{name}' does not accept an argument");
            Err(CtlError::fatal(text))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::ToolState;

    #[derive(Debug, Default)]
    struct Nothing;

    impl ToolState for Nothing {
        fn invalidate(&mut self) {}
    }

    const TABLES: CommandTables<Nothing> = &[&crate::ctl::db::commands()];

    fn parse(line: &str, leading: &[(&str, Option<&str>)]) -> Result<Vec<String>, String> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let owned = |(n, v): &(&str, Option<&str>)| ((*n).to_owned(), v.map(str::to_owned));
        let leading: Vec<_> = leading.iter().map(owned).collect();
        let commands = parse_commands(&args, &leading, TABLES).map_err(|e| e.to_string())?;
        let text =
            |i: &Invocation<Nothing>| format!("{:?} {} {:?}", i.options, i.command.name, i.args);
        Ok(commands.iter().map(text).collect())
    }

    #[test]
    fn commands_are_split_at_double_dashes() {
        let line = "list Bridge -- --if-exists get Bridge br0 name -- -- show";
        assert_eq!(
            parse(line, &[("--columns", Some("name"))]).unwrap(),
            [
                r#"{"--columns": Some("name")} list ["Bridge"]"#,
                r#"{"--if-exists": None} get ["Bridge", "br0", "name"]"#,
                "{} show []",
            ]
        );
    }

    #[test]
    fn complaints_as_observed() {
        let error = |line: &str| parse(line, &[]).unwrap_err();
        assert_eq!(error(""), "missing command name (use --help for help)");
        assert_eq!(error("-- --"), "missing command name (use --help for help)");
        assert_eq!(error("--if-exists"), "missing command name (use --help for help)");
        assert_eq!(error("bogus"), "unknown command 'bogus'; use --help for help");
        assert_eq!(error("set Bridge"), "'set' command requires at least 3 arguments");
        assert_eq!(error("show x"), "'show' command takes at most 0 arguments");
        assert_eq!(
            error("show --x"),
            "'show' command takes at most 0 arguments (note that options must precede command \
             names and follow a \"--\" argument)"
        );
        assert_eq!(error("--foo show"), "'show' command has no '--foo' option");
        assert_eq!(
            error("--columns list Bridge"),
            "missing argument to '--columns' option on 'list' command"
        );
        assert_eq!(
            error("--if-exists=x set a b c"),
            "'--if-exists' option on 'set' does not accept an argument"
        );
        assert_eq!(
            error("--columns=a --columns=b list Bridge"),
            "'--columns=b' option specified multiple times"
        );
    }
}
