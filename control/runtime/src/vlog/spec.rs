//! What `-v SPEC` and `vlog/set SPEC` understand: `[MODULE][:DESTINATION][:LEVEL]` in any order,
//! `PATTERN:DESTINATION:PATTERN` and `FACILITY:FACILITY`.

use super::level::{Destination, Facility, Level};
use super::levels::Levels;
use super::output::Outputs;

/// Why a spec is refused; the texts are OVS's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// A word that means nothing.
    #[error("no destination, level, or module \"{0}\"")]
    Unknown(String),
    /// Two levels.
    #[error("cannot specify multiple levels")]
    Levels,
    /// Two destinations.
    #[error("cannot specify multiple destinations")]
    Destinations,
    /// Two modules.
    #[error("cannot specify multiple modules")]
    Modules,
    /// `PATTERN` alone.
    #[error("missing destination")]
    MissingDestination,
    /// `PATTERN:` with something that is no destination.
    #[error("unknown destination \"{0}\"")]
    UnknownDestination(String),
    /// `FACILITY:` with something that is no facility.
    #[error("invalid facility")]
    Facility,
}

/// What separates words.
const SEPARATORS: [char; 4] = [' ', ':', ',', '\t'];

/// The next word and what follows the separator after it, like strtok_r(3).
fn next_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(SEPARATORS);
    if text.is_empty() {
        return None;
    }
    Some(text.split_once(SEPARATORS).unwrap_or((text, "")))
}

pub(super) fn apply(spec: &str, levels: &Levels, outputs: &Outputs) -> Result<(), SpecError> {
    match next_word(spec) {
        Some((word, rest)) if word.eq_ignore_ascii_case("PATTERN") => {
            let (dest, pattern) = next_word(rest).ok_or(SpecError::MissingDestination)?;
            let destination = if dest.eq_ignore_ascii_case("ANY") {
                None
            } else {
                let found = Destination::from_name(dest);
                Some(found.ok_or_else(|| SpecError::UnknownDestination(dest.into()))?)
            };
            outputs.set_pattern(destination, pattern);
            Ok(())
        }
        Some((word, rest)) if word.eq_ignore_ascii_case("FACILITY") => {
            outputs.set_facility(Facility::from_name(rest).ok_or(SpecError::Facility)?);
            Ok(())
        }
        _ => set_levels(spec, levels),
    }
}

fn set_levels(spec: &str, levels: &Levels) -> Result<(), SpecError> {
    let (mut module, mut destination, mut level) = (None, None, None);
    for word in spec.split(SEPARATORS).filter(|word| !word.is_empty()) {
        if word.eq_ignore_ascii_case("ANY") {
            continue;
        }
        if let Some(found) = Destination::from_name(word) {
            if destination.replace(found).is_some() {
                return Err(SpecError::Destinations);
            }
        } else if let Some(found) = Level::from_name(word) {
            if level.replace(found).is_some() {
                return Err(SpecError::Levels);
            }
        } else if let Some(found) = levels.canonical(word) {
            if module.replace(found).is_some() {
                return Err(SpecError::Modules);
            }
        } else {
            return Err(SpecError::Unknown(word.into()));
        }
    }
    levels.set(module.as_deref(), destination, level.unwrap_or(Level::Dbg));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(spec: &str) -> String {
        let levels = Levels::new();
        levels.register(&["bridge", "ofproto"]);
        apply(spec, &levels, &Outputs::new()).unwrap_err().to_string()
    }

    #[test]
    fn errors_as_observed() {
        for (spec, text) in [
            ("foo", "no destination, level, or module \"foo\""),
            ("foo:bar", "no destination, level, or module \"foo\""),
            ("dbg:dbg", "cannot specify multiple levels"),
            ("file:file", "cannot specify multiple destinations"),
            ("bridge:ofproto", "cannot specify multiple modules"),
            ("PATTERN", "missing destination"),
            ("PATTERN:foo", "unknown destination \"foo\""),
            ("facility:foo", "invalid facility"),
            ("FACILITY", "invalid facility"),
        ] {
            assert_eq!(error(spec), text, "{spec}");
        }
    }

    #[test]
    fn any_order() {
        let levels = Levels::new();
        let outputs = Outputs::new();
        levels.register(&["bridge"]);
        apply("off,bridge console", &levels, &outputs).unwrap();
        assert_eq!(levels.get("bridge").by_destination, [Level::Info, Level::Off, Level::Info]);
        apply("any:file", &levels, &outputs).unwrap();
        assert_eq!(levels.get("x").by_destination, [Level::Info, Level::Info, Level::Dbg]);
        apply("", &levels, &outputs).unwrap();
        assert_eq!(levels.get("bridge").by_destination, [Level::Dbg; 3]);
        apply("pattern:any:a:%m b", &levels, &outputs).unwrap();
        assert!(
            outputs.list_patterns().contains("FILE     none                              a:%m b\n")
        );
    }
}
