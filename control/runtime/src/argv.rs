//! Command lines with the rules of GNU `getopt_long`: unique prefixes of long options, optional
//! values, bundles of short options, options after arguments (or not, as with `+`).
//!
//! A program's options are data: tables of [`Opt`], several of which may be joined (its own, the
//! logging ones, the daemon ones). [`parse`] returns them in the order they were given.

use std::ffi::OsString;

use crate::program::Fatal;

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `--flag`
    No,
    /// `--name=VALUE`, `--name VALUE`, `-nVALUE`, `-n VALUE`
    Required,
    /// `--name`, `--name=VALUE`, `-nVALUE`
    Optional,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt {
    /// What [`Given::id`] says; the long name unless set otherwise.
    pub id: &'static str,
    /// `name` of `--name`; empty if the option has only a short form.
    pub long: &'static str,
    /// `n` of `-n`.
    pub short: Option<char>,
    /// Whether it takes a value.
    pub value: Value,
}

impl Opt {
    /// `--long`, without a value.
    pub const fn flag(long: &'static str) -> Self {
        Self { id: long, long, short: None, value: Value::No }
    }

    /// `--long=VALUE`.
    pub const fn required(long: &'static str) -> Self {
        Self { id: long, long, short: None, value: Value::Required }
    }

    /// `--long[=VALUE]`.
    pub const fn optional(long: &'static str) -> Self {
        Self { id: long, long, short: None, value: Value::Optional }
    }

    /// An option with no long form.
    pub const fn short_only(id: &'static str, short: char, value: Value) -> Self {
        Self { id, long: "", short: Some(short), value }
    }

    /// The same option with the short form `-c` too.
    #[must_use]
    pub const fn short(mut self, c: char) -> Self {
        self.short = Some(c);
        self
    }

    /// The same option reported under another name; two names with one id are synonyms, and a
    /// prefix of both is not ambiguous.
    #[must_use]
    pub const fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }
}

/// What to do with an argument that is not an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Go on looking for options after it (unless `POSIXLY_CORRECT` is set), as most programs do.
    Permute,
    /// Everything from there on is an argument: `+` of getopt.
    StopAtFirst,
}

/// One option that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// [`Opt::id`] of it.
    pub id: &'static str,
    /// Its value, if it has one.
    pub value: Option<String>,
}

impl Given {
    /// The value, or the empty string.
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

/// A command line taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The options in the order they were given.
    pub options: Vec<Given>,
    /// What is not an option.
    pub args: Vec<String>,
}

/// Why a command line is wrong; the texts are those of the C library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgvError {
    /// No such long option.
    #[error("unrecognized option '--{0}'")]
    Unrecognized(String),
    /// A prefix of several options.
    #[error("option '--{given}' is ambiguous; possibilities:{}", Quoted(.possibilities))]
    Ambiguous {
        /// What was written.
        given: String,
        /// What it may mean.
        possibilities: Vec<&'static str>,
    },
    /// `--flag=VALUE`.
    #[error("option '--{0}' doesn't allow an argument")]
    NoValueAllowed(&'static str),
    /// A long option without its value.
    #[error("option '--{0}' requires an argument")]
    LongNeedsValue(&'static str),
    /// A short option without its value.
    #[error("option requires an argument -- '{0}'")]
    ShortNeedsValue(char),
    /// No such short option.
    #[error("invalid option -- '{0}'")]
    InvalidShort(char),
    /// Weir keeps arguments as text.
    #[error("argument {0:?} is not valid UTF-8")]
    NotUtf8(OsString),
}

impl From<ArgvError> for Fatal {
    fn from(error: ArgvError) -> Self {
        Self { with_argv0: true, ..Self::new(error.to_string()) }
    }
}

struct Quoted<'a>(&'a [&'static str]);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, " '--{name}'"))
    }
}

/// The process's own arguments, without the program's name, ready for [`parse`].
///
/// # Errors
/// An argument is not valid UTF-8.
pub fn process_args() -> Result<Vec<String>, ArgvError> {
    if let Some(argv) = crate::daemon::original_argv() {
        return Ok(argv.get(1..).unwrap_or_default().to_vec());
    }
    std::env::args_os().skip(1).map(|arg| arg.into_string().map_err(ArgvError::NotUtf8)).collect()
}

/// Takes a command line apart.
///
/// # Errors
/// The first option that is wrong.
pub fn parse(args: &[String], tables: &[&[Opt]], order: Order) -> Result<Parsed, ArgvError> {
    let order = match order {
        Order::Permute if std::env::var_os("POSIXLY_CORRECT").is_some() => Order::StopAtFirst,
        order => order,
    };
    parse_with_order(args, tables, order)
}

fn parse_with_order(args: &[String], tables: &[&[Opt]], order: Order) -> Result<Parsed, ArgvError> {
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            break;
        } else if let Some(long) = arg.strip_prefix("--") {
            parsed.options.push(parse_long(long, tables, &mut rest)?);
        } else if arg.len() > 1 && arg.starts_with('-') {
            parse_bundle(arg.get(1..).unwrap_or_default(), tables, &mut rest, &mut parsed)?;
        } else {
            parsed.args.push(arg.clone());
            if order == Order::StopAtFirst {
                break;
            }
        }
    }
    parsed.args.extend(rest.cloned());
    Ok(parsed)
}

fn parse_long(
    text: &str,
    tables: &[&[Opt]],
    rest: &mut std::slice::Iter<'_, String>,
) -> Result<Given, ArgvError> {
    let (name, inline) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let opt = find_long(name, tables).map_err(|error| match error {
        // The C library repeats the value too, but only here.
        ArgvError::Unrecognized(_) => ArgvError::Unrecognized(text.into()),
        error => error,
    })?;
    let value = match (opt.value, inline) {
        (Value::No, Some(_)) => return Err(ArgvError::NoValueAllowed(opt.long)),
        (Value::No | Value::Optional, None) => None,
        (_, Some(value)) => Some(value.to_owned()),
        (Value::Required, None) => {
            Some(rest.next().ok_or(ArgvError::LongNeedsValue(opt.long))?.clone())
        }
    };
    Ok(Given { id: opt.id, value })
}

/// An exact name wins; else a prefix that can mean only one thing.
fn find_long(name: &str, tables: &[&[Opt]]) -> Result<Opt, ArgvError> {
    let all = || tables.iter().flat_map(|table| table.iter()).filter(|opt| !opt.long.is_empty());
    if let Some(opt) = all().find(|opt| opt.long == name) {
        return Ok(*opt);
    }
    let candidates: Vec<&Opt> = all().filter(|opt| opt.long.starts_with(name)).collect();
    match candidates.as_slice() {
        [] => Err(ArgvError::Unrecognized(name.into())),
        [first, others @ ..] => {
            if others.iter().all(|opt| opt.id == first.id && opt.value == first.value) {
                Ok(**first)
            } else {
                Err(ArgvError::Ambiguous {
                    given: name.into(),
                    possibilities: candidates.iter().map(|opt| opt.long).collect(),
                })
            }
        }
    }
}

fn parse_bundle(
    bundle: &str,
    tables: &[&[Opt]],
    rest: &mut std::slice::Iter<'_, String>,
    parsed: &mut Parsed,
) -> Result<(), ArgvError> {
    let mut chars = bundle.chars();
    while let Some(c) = chars.next() {
        let opt = tables
            .iter()
            .flat_map(|table| table.iter())
            .find(|opt| opt.short == Some(c))
            .ok_or(ArgvError::InvalidShort(c))?;
        let tail = chars.as_str();
        let value = match opt.value {
            Value::No => {
                parsed.options.push(Given { id: opt.id, value: None });
                continue;
            }
            _ if !tail.is_empty() => Some(tail.to_owned()),
            Value::Optional => None,
            Value::Required => Some(rest.next().ok_or(ArgvError::ShortNeedsValue(c))?.clone()),
        };
        parsed.options.push(Given { id: opt.id, value });
        break;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTS: &[Opt] = &[
        Opt::required("target").short('t'),
        Opt::required("timeout").short('T'),
        Opt::flag("help").short('h'),
        Opt::flag("version").short('V'),
        Opt::optional("verbose").short('v'),
        Opt::flag("no-heading").id("no-headings"),
        Opt::flag("no-headings"),
        Opt::short_only("more", 'm', Value::No),
    ];

    fn run(args: &[&str], order: Order) -> Result<Parsed, String> {
        let args: Vec<String> = args.iter().map(|&s| s.into()).collect();
        parse_with_order(&args, &[OPTS], order).map_err(|e| e.to_string())
    }

    fn ids(args: &[&str], order: Order) -> (Vec<(&'static str, Option<String>)>, Vec<String>) {
        let parsed = run(args, order).unwrap();
        (parsed.options.into_iter().map(|g| (g.id, g.value)).collect(), parsed.args)
    }

    #[test]
    fn long_and_short_forms() {
        let (options, args) = ids(
            &["--tar=a", "--target", "b", "-tc", "-t", "d", "-mhvdbg", "-v", "x", "--verbose=y"],
            Order::Permute,
        );
        let want: Vec<(&str, Option<String>)> = vec![
            ("target", Some("a".into())),
            ("target", Some("b".into())),
            ("target", Some("c".into())),
            ("target", Some("d".into())),
            ("more", None),
            ("help", None),
            ("verbose", Some("dbg".into())),
            ("verbose", None),
            ("verbose", Some("y".into())),
        ];
        assert_eq!(options, want);
        assert_eq!(args, ["x"]);
    }

    #[test]
    fn where_options_end() {
        let (options, args) = ids(&["a", "-h", "--", "-V"], Order::Permute);
        assert_eq!((options.len(), args), (1, vec!["a".into(), "-V".into()]));
        let (options, args) = ids(&["-h", "a", "-h", "--", "b"], Order::StopAtFirst);
        assert_eq!(options.len(), 1);
        assert_eq!(args, ["a", "-h", "--", "b"]);
        let (_, args) = ids(&["-", "a"], Order::Permute);
        assert_eq!(args, ["-", "a"]);
    }

    #[test]
    fn synonyms_are_not_ambiguous() {
        let (options, _) = ids(&["--no-head"], Order::Permute);
        assert_eq!(options, [("no-headings", None)]);
    }

    #[test]
    fn texts_of_the_c_library() {
        let error = |args: &[&str]| run(args, Order::Permute).unwrap_err();
        assert_eq!(
            error(&["--t", "x"]),
            "option '--t' is ambiguous; possibilities: '--target' '--timeout'"
        );
        assert_eq!(error(&["--foo=3"]), "unrecognized option '--foo=3'");
        assert_eq!(error(&["-Z"]), "invalid option -- 'Z'");
        assert_eq!(error(&["-t"]), "option requires an argument -- 't'");
        assert_eq!(error(&["--target"]), "option '--target' requires an argument");
        assert_eq!(error(&["--version=3"]), "option '--version' doesn't allow an argument");
    }

    proptest::proptest! {
        /// Whatever is typed, every argument ends up somewhere once.
        #[test]
        fn any_command_line(args in proptest::collection::vec("[-=vtThmx]{0,6}", 0..8)) {
            for order in [Order::Permute, Order::StopAtFirst] {
                if let Ok(parsed) = parse_with_order(&args, &[OPTS], order) {
                    proptest::prop_assert!(parsed.args.len() <= args.len());
                    for arg in &parsed.args {
                        proptest::prop_assert!(args.contains(arg));
                    }
                }
            }
        }
    }
}
