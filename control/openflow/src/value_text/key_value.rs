//! Cutting `key=value,key(value) key:value` texts into pairs.

/// Cuts a text into pairs, as flows, actions and their arguments are written. A key ends at `=`,
/// `:`, `(`, a blank, `,`, or at the end; a value after `(` runs to the matching parenthesis (and
/// takes what follows it up to the separator, as in `check_pkt_larger(9)->reg0[0]`), another one to
/// the next blank or comma outside of brackets.
#[derive(Clone, Debug)]
pub struct KeyValues<'a> {
    rest: &'a str,
}

impl<'a> KeyValues<'a> {
    /// Starts at the beginning of `s`.
    #[must_use]
    pub fn new(s: &'a str) -> Self {
        Self { rest: s }
    }

    /// What has not been cut yet.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.rest
    }
}

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// Length of the value at the start of `s`: up to a separator that no bracket encloses, or one past
/// a bracket that closes nothing.
fn value_len(s: &str) -> usize {
    let mut depth = 0usize;
    for (i, c) in s.bytes().enumerate() {
        match c {
            b'(' | b'[' => depth += 1,
            b')' | b']' => match depth.checked_sub(1) {
                Some(d) => depth = d,
                None => return i,
            },
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return i,
            _ => {}
        }
    }
    s.len()
}

impl<'a> Iterator for KeyValues<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let s = self.rest.trim_start_matches([',', ' ', '\t', '\r', '\n']);
        if s.is_empty() {
            self.rest = "";
            return None;
        }
        let stops = |c: char| BLANK.contains(&c) || matches!(c, ':' | '=' | '(' | ',');
        let key_len = s.find(stops).unwrap_or(s.len());
        let (key, after) = s.split_at(key_len);
        match after.as_bytes().first() {
            Some(b'(') => {
                let inner = &after[1..];
                let len = value_len_in_parens(inner);
                let (value, tail) = inner.split_at(len);
                self.rest = tail.strip_prefix(')').unwrap_or(tail);
                if self.rest.starts_with("->") {
                    // "key(value)->field": the value keeps its closing parenthesis.
                    let end = len + 1 + value_len(self.rest);
                    self.rest = &inner[end..];
                    return Some((key, &inner[..end]));
                }
                Some((key, value))
            }
            Some(b':' | b'=') => {
                let value = &after[1..];
                let len = value_len(value);
                self.rest = &value[len..];
                Some((key, &value[..len]))
            }
            _ => {
                self.rest = after;
                Some((key, ""))
            }
        }
    }
}

/// Length of a value inside parentheses: up to the one that closes it.
fn value_len_in_parens(s: &str) -> usize {
    let mut depth = 0usize;
    for (i, c) in s.bytes().enumerate() {
        match c {
            b'(' => depth += 1,
            b')' => match depth.checked_sub(1) {
                Some(d) => depth = d,
                None => return i,
            },
            _ => {}
        }
    }
    s.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        let all: Vec<_> =
            KeyValues::new("a, b=1 c:x:y d(e(1),2),f=(1,0x800), g()h check_pkt_larger(9)->r[0],z")
                .collect();
        let expected = [
            ("a", ""),
            ("b", "1"),
            ("c", "x:y"),
            ("d", "e(1),2"),
            ("f", "(1,0x800)"),
            ("g", ""),
            ("h", ""),
            ("check_pkt_larger", "9)->r[0]"),
            ("z", ""),
        ];
        assert_eq!(all, expected);
    }
}
