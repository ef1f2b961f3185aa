//! The arguments of `dpif-netdev/*` commands: options with a value, flags, and the datapath's name.

use std::collections::BTreeMap;

/// Options of a command: those with a value, then those without.
pub(super) type Spec = (&'static [&'static str], &'static [&'static str]);

/// What was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Args<'a> {
    values: BTreeMap<&'static str, &'a str>,
    flags: Vec<&'static str>,
    /// What is no option: the datapath's name, or a word of the command.
    pub(super) rest: Vec<&'a str>,
}

impl<'a> Args<'a> {
    /// Reads a command's arguments. An option of which the value is missing counts as a word.
    pub(super) fn read(args: &'a [String], (valued, flags): Spec) -> Self {
        let mut read = Self::default();
        let mut words = args.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            if let Some(option) = valued.iter().find(|option| **option == word)
                && let Some(value) = words.next_if(|_| true)
            {
                read.values.insert(option, value);
            } else if let Some(flag) = flags.iter().find(|flag| **flag == word) {
                read.flags.push(flag);
            } else {
                read.rest.push(word);
            }
        }
        read
    }

    /// An option's value.
    pub(super) fn value(&self, option: &str) -> Option<&'a str> {
        self.values.get(option).copied()
    }

    /// An option's value if it is a number; OVS takes no notice of others.
    pub(super) fn number<T: std::str::FromStr>(&self, option: &str) -> Option<T> {
        self.value(option)?.parse().ok()
    }

    /// Was the flag given?
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    /// The core that `-pmd` names.
    pub(super) fn core(&self) -> Option<u32> {
        self.number("-pmd")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_words() {
        let args = ["-nh", "dp", "-it", "5", "-pmd", "x", "-ms"].map(str::to_owned);
        let args = Args::read(&args, (&["-it", "-ms", "-pmd"], &["-nh"]));
        assert!(args.has("-nh") && !args.has("-x"));
        assert_eq!(
            (args.number::<u32>("-it"), args.core(), args.value("-ms")),
            (Some(5), None, None)
        );
        assert_eq!(args.rest, ["dp", "-ms"]);
    }
}
