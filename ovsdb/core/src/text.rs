//! Values as people write and read them on a command line: `ovs-vsctl set`, `get`, `list`, and the
//! values inside error messages. The grammar is that of ovs-vsctl(8), "Database Values".

use weir_jsonrpc::number::format_real;
use weir_jsonrpc::string::{quote_into, unescape};

use crate::atom::{Atom, uuid_from_string};
use crate::datum::Datum;
use crate::symbol::SymbolTable;
use crate::types::{AtomicType, BaseType, ColumnType};

/// The most integers that one range `a-b` may stand for.
pub const MAX_RANGE: i64 = 4096;

/// What is wrong with a text, for people.
pub type TextError = String;

/// Writes `atom` so that [`atom_from_string`] reads it back: strings that could be taken for
/// something else are quoted.
pub fn atom_to_string(atom: &Atom) -> String {
    match atom {
        Atom::Integer(i) => i.to_string(),
        Atom::Real(r) => format_real(*r),
        Atom::Boolean(b) => b.to_string(),
        Atom::Uuid(u) => u.to_string(),
        Atom::String(s) if needs_quotes(s) => weir_jsonrpc::string::quote(s),
        Atom::String(s) => s.to_string(),
    }
}

/// Writes `atom` for shell scripts: strings never quoted.
pub fn atom_to_bare(atom: &Atom) -> String {
    match atom {
        Atom::String(s) => s.to_string(),
        other => atom_to_string(other),
    }
}

/// Would `s`, unquoted, be read as something else than this string?
pub fn needs_quotes(s: &str) -> bool {
    !s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        || !s.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        || s == "true"
        || s == "false"
        || uuid_from_string(s).is_some()
}

/// Reads one atom of type `base` and checks its constraint. With `symbols`, `@name` stands for the
/// UUID of a row.
///
/// # Errors
/// What is wrong, in OVS's words.
pub fn atom_from_string(
    base: &BaseType,
    s: &str,
    symbols: Option<&mut SymbolTable>,
) -> Result<Atom, TextError> {
    let atom = match base.atomic {
        AtomicType::Integer => Atom::Integer(
            integer(s).ok_or_else(|| format!("\"{s}\" is not a valid integer or range"))?,
        ),
        AtomicType::Real => {
            real(s).map(Atom::from).ok_or_else(|| format!("\"{s}\" is not a valid real number"))?
        }
        AtomicType::Boolean => match s {
            "true" | "yes" | "on" | "1" => Atom::Boolean(true),
            "false" | "no" | "off" | "0" => Atom::Boolean(false),
            _ => {
                return Err(format!("\"{s}\" is not a valid boolean (use \"true\" or \"false\")"));
            }
        },
        AtomicType::String => Atom::String(string(s)?.into()),
        AtomicType::Uuid => match symbols {
            Some(symbols) if s.starts_with('@') => Atom::Uuid(symbols.refer(s, base)),
            _ => uuid_from_string(s)
                .map(Atom::Uuid)
                .ok_or_else(|| format!("\"{s}\" is not a valid UUID"))?,
        },
    };
    base.check(&atom).map_err(|e| e.to_string())?;
    Ok(atom)
}

/// The integers from `start` to `end` of a range `start-end`, or `None` if `s` is no range.
fn integer_range(
    base: &BaseType,
    s: &str,
) -> Result<Option<std::ops::RangeInclusive<i64>>, TextError> {
    // The dash that separates is the first after a digit; one before is a sign.
    let dash = s.char_indices().skip_while(|(_, c)| !c.is_ascii_digit()).find(|(_, c)| *c == '-');
    let Some((dash, _)) = dash else { return Ok(None) };
    let (Some(start), Some(end)) = (integer(&s[..dash]), integer(&s[dash + 1..])) else {
        return Ok(None);
    };
    if end < start {
        return Err(format!("\"{s}\" is not a valid range. Range end cannot be before start."));
    }
    let check = |i: i64| base.check(&Atom::Integer(i)).map_err(|e| e.to_string());
    check(start)?;
    let too_big = end.checked_sub(start).is_none_or(|size| size >= MAX_RANGE);
    match base.enumeration() {
        Some(_) if !too_big => (start..=end).try_for_each(check)?,
        _ => check(end)?,
    }
    if too_big {
        return Err(format!(
            "constraint violation: Range \"{start}-{end}\" is too big. \
             Maximum allowed size is {MAX_RANGE}."
        ));
    }
    Ok(Some(start..=end))
}

/// C's `strtoll` over the whole of `s`: blanks and a sign may come first.
fn integer(s: &str) -> Option<i64> {
    let s = s.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    s.parse().ok()
}

/// C's `strtod` over the whole of `s`, decimal notation only.
fn real(s: &str) -> Option<f64> {
    let s = s.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let value: f64 = s.parse().ok()?;
    // A number too large is an error; the word for infinity is not.
    let is_word = s.contains(['i', 'I', 'n', 'N']);
    (value.is_finite() || is_word).then_some(value)
}

fn string(s: &str) -> Result<String, TextError> {
    if s.is_empty() {
        return Err("An empty string is not valid as input; \
                    use \"\" to represent the empty string"
            .into());
    }
    let Some(rest) = s.strip_prefix('"') else { return Ok(s.to_owned()) };
    let Some(inner) = rest.strip_suffix('"') else {
        return Err(format!("{s}: missing quote at end of quoted string"));
    };
    unescape(inner).map_err(|e| format!("{s}: {e}"))
}

/// Does `c` end a token? (The end of the text does, too.)
pub fn is_delimiter(c: char) -> bool {
    ":=, []{}!<>".contains(c)
}

/// Splits a token off the front of `s` and returns it with the rest. A token extends to the first
/// delimiter that is neither quoted nor escaped by a backslash; quotes stay in the token, a
/// backslash outside quotes does not.
///
/// # Errors
/// A quote or a backslash at the end, in OVS's words.
pub fn take_token(s: &str) -> Result<(String, &str), TextError> {
    let mut token = String::new();
    let mut in_quotes = false;
    let mut chars = s.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            if in_quotes {
                token.push('\\');
            }
            match chars.next() {
                Some((_, c)) => token.push(c),
                None => return Err(format!("{s}: backslash at end of argument")),
            }
        } else if !in_quotes && is_delimiter(c) {
            return Ok((token, &s[at..]));
        } else {
            token.push(c);
            in_quotes ^= c == '"';
        }
    }
    if in_quotes {
        return Err(format!("{s}: quoted string extends past end of argument"));
    }
    Ok((token, ""))
}

fn skip_blanks(s: &str) -> &str {
    s.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}')
}

/// Reads a value of type `type_`: atoms, or `key=value` pairs, separated by commas or blanks, in
/// `[]` or `{}` if one likes. With `symbols`, `@name` stands for the UUID of a row.
///
/// # Errors
/// What is wrong, in OVS's words.
pub fn datum_from_string(
    type_: &ColumnType,
    s: &str,
    mut symbols: Option<&mut SymbolTable>,
) -> Result<Datum, TextError> {
    let (open, close) = if type_.is_map() { ('{', '}') } else { ('[', ']') };
    let mut rest = skip_blanks(s);
    let mut end = None;
    if let Some(inner) = rest.strip_prefix(open) {
        end = Some(close);
        rest = skip_blanks(inner);
    } else if rest.is_empty() {
        return Err(if type_.is_map() {
            "use \"{}\" to specify the empty map".into()
        } else {
            "use \"[]\" to specify the empty set".into()
        });
    }

    let (mut keys, mut values) = (Vec::new(), Vec::new());
    while let Some(c) = rest.chars().next().filter(|&c| Some(c) != end) {
        if is_delimiter(c) {
            return Err(format!("{s}: unexpected \"{c}\" parsing {type_}"));
        }
        let start = rest;
        let (token, tail) = take_token(rest)?;
        rest = tail;
        let range = match type_.key.atomic {
            AtomicType::Integer => integer_range(&type_.key, &token)?,
            _ => None,
        };
        match range {
            Some(range) => keys.extend(range.map(Atom::Integer)),
            None => keys.push(atom_from_string(&type_.key, &token, symbols.as_deref_mut())?),
        }
        if let Some(base) = &type_.value {
            rest = skip_blanks(rest);
            let Some(tail) = rest.strip_prefix('=') else {
                // C prints the character and stops at the end of the text when there is none.
                return Err(match rest.chars().next() {
                    Some(c) => format!("{start}: syntax error at \"{c}\" expecting \"=\""),
                    None => format!("{start}: syntax error at \""),
                });
            };
            let (token, tail) = take_token(skip_blanks(tail))?;
            rest = tail;
            // A range of keys maps to one value.
            values.resize(keys.len(), atom_from_string(base, &token, symbols.as_deref_mut())?);
        }
        rest = skip_blanks(rest);
        if let Some(tail) = rest.strip_prefix(',') {
            rest = skip_blanks(tail);
        }
    }
    if let Some(end) = end {
        let Some(tail) = rest.strip_prefix(end) else {
            return Err(format!("{s}: missing \"{end}\" at end of data"));
        };
        if !skip_blanks(tail).is_empty() {
            return Err(format!("{s}: trailing garbage after \"{end}\""));
        }
    }

    let n = keys.len();
    let what = if type_.is_map() { "pair(s)" } else { "value(s)" };
    if n < type_.min as usize {
        return Err(format!("{s}: {n} {what} specified but the minimum number is {}", type_.min));
    } else if n > type_.max as usize {
        return Err(format!("{s}: {n} {what} specified but the maximum number is {}", type_.max));
    }
    Datum::from_atoms(keys, values).map_err(|_| match type_.is_map() {
        true => format!("{s}: map contains duplicate key"),
        false => format!("{s}: set contains duplicate value"),
    })
}

/// Writes `datum` so that [`datum_from_string`] reads it back.
pub fn datum_to_string(datum: &Datum, type_: &ColumnType) -> String {
    let brackets = type_.max > 1 || datum.is_empty();
    let (open, close) = if type_.is_map() { ('{', '}') } else { ('[', ']') };
    let mut out = String::new();
    if brackets {
        out.push(open);
    }
    for (i, key) in datum.keys().iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(&atom_to_string(key));
        if let Some(value) = datum.values().get(i) {
            out.push('=');
            out.push_str(&atom_to_string(value));
        }
    }
    if brackets {
        out.push(close);
    }
    out
}

/// Writes `datum` for shell scripts: no brackets, no quotes, separated by blanks.
pub fn datum_to_bare(datum: &Datum) -> String {
    let mut out = String::new();
    for (i, key) in datum.keys().iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(&atom_to_bare(key));
        if let Some(value) = datum.values().get(i) {
            out.push('=');
            out.push_str(&atom_to_bare(value));
        }
    }
    out
}

/// `"a"`, `"a" and "b"`, `"a", "b", and "c"`.
pub fn english_list(words: &[String], quoted: bool) -> String {
    let mut out = String::new();
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            out.push_str(match (i + 1 < words.len(), words.len()) {
                (true, _) => ", ",
                (false, 2) => " and ",
                (false, _) => ", and ",
            });
        }
        if quoted {
            quote_into(word, &mut out);
        } else {
            out.push_str(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weir_jsonrpc::Json;

    const VLANS: &str =
        r#"{"key":{"type":"integer","minInteger":0,"maxInteger":4095},"min":0,"max":4096}"#;
    const STRING_MAP: &str = r#"{"key":"string","value":"string","min":0,"max":"unlimited"}"#;
    const OPTIONAL: &str = r#"{"key":"string","min":0,"max":1}"#;

    fn type_(text: &str) -> ColumnType {
        ColumnType::from_json(&Json::parse_value(text).unwrap()).unwrap()
    }

    fn read(type_text: &str, s: &str) -> Result<String, String> {
        let type_ = type_(type_text);
        datum_from_string(&type_, s, None).map(|datum| datum_to_string(&datum, &type_))
    }

    /// Each pair was observed with Debian's ovs-vsctl 3.1.
    #[test]
    fn as_ovs_vsctl_has_it() {
        for (type_, s, expected) in [
            (VLANS, "1-3", Ok("[1, 2, 3]")),
            (
                VLANS,
                "1-5000",
                Err("constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)"),
            ),
            (VLANS, "3-1", Err("\"3-1\" is not a valid range. Range end cannot be before start.")),
            (VLANS, "1-x", Err("\"1-x\" is not a valid integer or range")),
            (VLANS, "1-", Err("\"1-\" is not a valid integer or range")),
            (VLANS, "0x5", Err("\"0x5\" is not a valid integer or range")),
            (
                VLANS,
                "-1-3",
                Err("constraint violation: -1 is not in the valid range 0 to 4095 (inclusive)"),
            ),
            (VLANS, "[1,2", Err("[1,2: missing \"]\" at end of data")),
            (VLANS, "1]", Err("1]: unexpected \"]\" parsing set of up to 4096 integers")),
            (VLANS, "1,,2", Err("1,,2: unexpected \",\" parsing set of up to 4096 integers")),
            (VLANS, "{}", Err("{}: unexpected \"{\" parsing set of up to 4096 integers")),
            (VLANS, "[]", Ok("[]")),
            (VLANS, "+7", Ok("[7]")),
            (VLANS, "[1, 2 3]", Ok("[1, 2, 3]")),
            (VLANS, "1,1", Err("1,1: set contains duplicate value")),
            (STRING_MAP, "a=b c=d", Ok("{a=b, c=d}")),
            (STRING_MAP, "a= b", Ok("{a=b}")),
            (STRING_MAP, "a=\"b c\"", Ok("{a=\"b c\"}")),
            (STRING_MAP, "\"x y\"=z", Ok("{\"x y\"=z}")),
            (STRING_MAP, "{}", Ok("{}")),
            (STRING_MAP, "a", Err("a: syntax error at \"")),
            (STRING_MAP, "a:b", Err("a:b: syntax error at \":\" expecting \"=\"")),
            (STRING_MAP, "{a=b", Err("{a=b: missing \"}\" at end of data")),
            (STRING_MAP, "{a=b}x", Err("{a=b}x: trailing garbage after \"}\"")),
            (STRING_MAP, "a=b,a=c", Err("a=b,a=c: map contains duplicate key")),
            (STRING_MAP, "a=\"b", Err("\"b: quoted string extends past end of argument")),
            (STRING_MAP, "a=b\\", Err("b\\: backslash at end of argument")),
            (
                STRING_MAP,
                "a=",
                Err(
                    "An empty string is not valid as input; use \"\" to represent the empty string",
                ),
            ),
            (
                STRING_MAP,
                "a=b=c",
                Err("a=b=c: unexpected \"=\" parsing map of (string, string) pairs"),
            ),
            (STRING_MAP, "a=\"\\q\"", Err("\"\\q\": bad escape \\q")),
            (OPTIONAL, "1", Ok("\"1\"")),
            (OPTIONAL, "[a]", Ok("a")),
            (OPTIONAL, "true", Ok("\"true\"")),
            (OPTIONAL, "a-b.c_d", Ok("a-b.c_d")),
            (OPTIONAL, "é", Ok("\"é\"")),
            (
                OPTIONAL,
                "23f02c48-a425-4373-9ad9-1b543578e4fb",
                Ok("\"23f02c48-a425-4373-9ad9-1b543578e4fb\""),
            ),
            (OPTIONAL, "a b", Err("a b: 2 value(s) specified but the maximum number is 1")),
            (OPTIONAL, "", Err("use \"[]\" to specify the empty set")),
            (
                "\"boolean\"",
                "maybe",
                Err("\"maybe\" is not a valid boolean (use \"true\" or \"false\")"),
            ),
            ("\"boolean\"", "yes", Ok("true")),
            ("\"uuid\"", "zz", Err("\"zz\" is not a valid UUID")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(read(type_, s), expected, "{s}");
        }
    }

    #[test]
    fn symbols_stand_for_rows() {
        let type_ = type_(r#"{"key":{"type":"uuid","refTable":"T"},"min":0,"max":"unlimited"}"#);
        let mut symbols = SymbolTable::new();
        let datum = datum_from_string(&type_, "@a,@b,@a", Some(&mut symbols));
        assert_eq!(datum, Err("@a,@b,@a: set contains duplicate value".into()));
        let datum = datum_from_string(&type_, "@a,@b", Some(&mut symbols)).unwrap();
        assert_eq!(datum.len(), 2);
        assert!(symbols.get("@a").unwrap().strong_ref && !symbols.get("@a").unwrap().created);
    }

    proptest! {
        #[test]
        fn string_maps_round_trip(pairs in proptest::collection::vec((".{0,6}", ".{0,6}"), 0..5)) {
            let type_ = type_(STRING_MAP);
            let clean = |s: &String| s.replace('\0', "");
            let datum = Datum::map(pairs.iter().map(|(k, v)| (clean(k), clean(v))));
            let text = datum_to_string(&datum, &type_);
            prop_assert_eq!(datum_from_string(&type_, &text, None), Ok(datum));
        }

        #[test]
        fn any_text_is_answered(s in ".{0,20}") {
            for text in [VLANS, STRING_MAP, OPTIONAL, "\"real\"", "\"uuid\""] {
                let _ = read(text, &s);
            }
        }
    }
}
