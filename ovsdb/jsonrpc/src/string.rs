//! Escapes inside quoted strings.

/// Appends `s` to `out` as a JSON string, quotes included. Only what JSON forbids is escaped.
pub fn quote_into(s: &str, out: &mut String) {
    out.push('"');
    let mut rest = s;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// `s` as a JSON string, quotes included.
pub fn quote(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    quote_into(s, &mut out);
    out
}

/// Resolves the escapes in `s`, the text between the quotes of a JSON string.
///
/// # Errors
/// What is wrong with it, in OVS's words.
pub fn unescape(s: &str) -> Result<String, String> {
    let mut out = String::with_capacity(s.len());
    let mut rest = s;
    while let Some(at) = rest.find(['"', '\\']) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        if tail.starts_with('"') {
            return Err("quoted string may not include unescaped \"".into());
        }
        let mut chars = tail.chars();
        chars.next();
        let Some(c) = chars.next() else {
            return Err("quoted string may not end with backslash".into());
        };
        rest = chars.as_str();
        match c {
            '"' | '\\' | '/' => out.push(c),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (c, tail) = code_point(rest)?;
                out.push(c);
                rest = tail;
            }
            _ => return Err(format!("bad escape \\{c}")),
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The character of a `\u` escape (of two for a surrogate pair) and what follows it.
fn code_point(s: &str) -> Result<(char, &str), String> {
    let (first, rest) = four_hex(s)?;
    let wide = match first {
        0xd800..0xdc00 => {
            let Some(rest) = rest.strip_prefix("\\u") else {
                return Err("malformed escaped surrogate pair".into());
            };
            let (second, rest) = four_hex(rest)?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(
                    "second half of escaped surrogate pair is not trailing surrogate".into()
                );
            }
            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), rest)
        }
        _ => (first, rest),
    };
    // Only a trailing surrogate on its own is no character.
    char::from_u32(wide.0)
        .map(|c| (c, wide.1))
        .ok_or_else(|| "malformed escaped surrogate pair".into())
}

fn four_hex(s: &str) -> Result<(u32, &str), &'static str> {
    if s.len() < 4 {
        return Err("quoted string ends within \\u escape");
    }
    let (digits, rest) = s.split_at_checked(4).ok_or("malformed \\u escape")?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("malformed \\u escape");
    }
    match u32::from_str_radix(digits, 16) {
        Ok(0) => Err("null bytes not supported in quoted strings"),
        Ok(value) => Ok((value, rest)),
        Err(_) => Err("malformed \\u escape"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes() {
        assert_eq!(quote("a\"\\/\u{1}\n\u{7f}é"), "\"a\\\"\\\\/\\u0001\\n\u{7f}é\"");
        assert_eq!(unescape(r#"\u00e9\ud834\udd1e\/\t"#), Ok("é𝄞/\t".into()));
    }

    #[test]
    fn errors() {
        for (text, error) in [
            (r"\q", r"bad escape \q"),
            (r"\u12", r"quoted string ends within \u escape"),
            (r"\u12g4", r"malformed \u escape"),
            (r"\u123é", r"malformed \u escape"),
            (r"\u0000", "null bytes not supported in quoted strings"),
            (r"\ud834x", "malformed escaped surrogate pair"),
            (r"\ud834\u0041", "second half of escaped surrogate pair is not trailing surrogate"),
            (r"\", "quoted string may not end with backslash"),
            ("a\"b", "quoted string may not include unescaped \""),
        ] {
            assert_eq!(unescape(text), Err(error.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_string_round_trips(s in any::<String>()) {
            let quoted = quote(&s);
            prop_assert_eq!(unescape(&quoted[1..quoted.len() - 1]), Ok(s));
        }
    }
}
