//! Text to [`Json`]. Iterative, so that depth costs heap and not stack; at most [`MAX_DEPTH`]
//! levels. The error texts are OVS's, with the place counted as OVS counts it.

use std::sync::Arc;

use crate::number;
use crate::string::unescape;
use crate::value::{Json, Object};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 1000;

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}, byte {byte}: {reason}")]
pub struct ParseError {
    /// Line, counted from 0.
    pub line: usize,
    /// Byte within the line, counted from 0.
    pub column: usize,
    /// Byte within the text, counted from 0.
    pub byte: usize,
    /// The reason.
    pub reason: String,
}

enum Token<'a> {
    Open(u8),
    Close(u8),
    Colon,
    Comma,
    Value(Json),
    Str(&'a str),
    End,
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

/// The reason and the byte it was noticed at.
type Fault = (usize, String);

impl<'a> Lexer<'a> {
    /// The next token and the byte at which a complaint about it is placed.
    fn next(&mut self) -> Result<(usize, Token<'a>), Fault> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let start = self.at;
        let Some(&c) = self.text.get(start) else {
            return Ok((start, Token::End));
        };
        let punctuation = match c {
            b'[' | b'{' => Token::Open(c),
            b']' | b'}' => Token::Close(c),
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => {
                let word = self.word(|c| b".0123456789eE-+".contains(&c));
                let json = number::parse(word).map_err(|e| (self.at, e.to_owned()))?;
                return Ok((self.at, Token::Value(json)));
            }
            b'a'..=b'z' => {
                let json = match self.word(|c| c.is_ascii_alphabetic()) {
                    "null" => Json::Null,
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    word => return Err((self.at, format!("invalid keyword '{word}'"))),
                };
                return Ok((self.at, Token::Value(json)));
            }
            b' '..=b'~' => return Err((start, format!("invalid character '{}'", char::from(c)))),
            _ => return Err((start, format!("invalid character U+{c:04x}"))),
        };
        self.at += 1;
        Ok((start, punctuation))
    }

    fn word(&mut self, part: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|&c| !part(c)).unwrap_or(rest.len());
        self.at += len;
        std::str::from_utf8(rest.get(..len).unwrap_or_default()).unwrap_or_default()
    }

    /// A string, from its opening quote; the token still has its escapes.
    fn string(&mut self) -> Result<(usize, Token<'a>), Fault> {
        let start = self.at + 1;
        let mut i = start;
        loop {
            match self.text.get(i) {
                None => return Err((i, "unexpected end of input in quoted string".into())),
                Some(b'\\') if i + 1 >= self.text.len() => {
                    return Err((i + 1, "unexpected end of input in quoted string".into()));
                }
                Some(b'\\') => i += 2,
                Some(b'"') => break,
                Some(&c) if c < b' ' => {
                    return Err((i, format!("U+{c:04X} must be escaped in quoted string")));
                }
                Some(_) => i += 1,
            }
        }
        self.at = i + 1;
        let raw = self.text.get(start..i).unwrap_or_default();
        match std::str::from_utf8(raw) {
            Ok(raw) => Ok((i, Token::Str(raw))),
            Err(_) => Err((i, "quoted string is not valid UTF-8".into())),
        }
    }
}

/// An array or object under construction.
enum Open {
    Array(Vec<Json>),
    /// The members so far and the name that waits for its value.
    Object(Object, Arc<str>),
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    ObjectInit,
    ObjectName,
    ObjectColon,
    ObjectValue,
    ObjectNext,
    ArrayInit,
    ArrayValue,
    ArrayNext,
    End,
}

/// Parses a text whose top level is one array or object.
///
/// # Errors
/// The place and the reason.
pub fn document(text: &[u8]) -> Result<Json, ParseError> {
    run(text, true).map_err(|fault| locate(text, fault))
}

/// Parses a text that is one value of any kind.
///
/// # Errors
/// The place and the reason.
pub fn value(text: &[u8]) -> Result<Json, ParseError> {
    run(text, false).map_err(|fault| locate(text, fault))
}

fn locate(text: &[u8], (byte, reason): Fault) -> ParseError {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.iter().filter(|&&c| c == b'\n').count();
    let column = before.iter().rev().take_while(|&&c| c != b'\n').count();
    ParseError { line, column, byte, reason }
}

fn cook(at: usize, raw: &str) -> Result<Arc<str>, Fault> {
    if raw.contains('\\') {
        unescape(raw).map(Into::into).map_err(|e| (at, e))
    } else {
        Ok(raw.into())
    }
}

fn run(text: &[u8], composite: bool) -> Result<Json, Fault> {
    let mut lexer = Lexer { text, at: 0 };
    let mut stack: Vec<Open> = Vec::new();
    let mut state = State::Start;
    let mut result = None;
    loop {
        let (at, token) = lexer.next()?;
        let fail = |reason: &str| Err((at, reason.to_owned()));
        if let Token::End = token {
            return match (state, result) {
                (State::End, Some(json)) => Ok(json),
                (State::Start, _) => fail("empty input stream"),
                _ => fail("unexpected end of input"),
            };
        }
        let closes = match (state, &token) {
            (State::ObjectInit | State::ObjectNext, Token::Close(b'}'))
            | (State::ArrayInit | State::ArrayNext, Token::Close(b']')) => true,
            (State::ObjectNext, Token::Comma) => {
                state = State::ObjectName;
                continue;
            }
            (State::ArrayNext, Token::Comma) => {
                state = State::ArrayValue;
                continue;
            }
            (State::ObjectColon, Token::Colon) => {
                state = State::ObjectValue;
                continue;
            }
            (State::ObjectInit | State::ObjectName, Token::Str(raw)) => {
                let name = cook(at, raw)?;
                if let Some(Open::Object(_, pending)) = stack.last_mut() {
                    *pending = name;
                }
                state = State::ObjectColon;
                continue;
            }
            (State::End, _) => return fail("trailing garbage at end of input"),
            (State::ObjectInit | State::ObjectName, _) => {
                return fail("syntax error parsing object expecting string");
            }
            (State::ObjectColon, _) => return fail("syntax error parsing object expecting ':'"),
            (State::ObjectNext, _) => return fail("syntax error expecting '}' or ','"),
            (State::ArrayNext, _) => return fail("syntax error expecting ']' or ','"),
            (State::Start, token) if composite && !matches!(token, Token::Open(_)) => {
                return fail("syntax error at beginning of input");
            }
            _ => false,
        };

        let mut done = if closes {
            match stack.pop() {
                Some(Open::Array(elements)) => Json::Array(elements),
                Some(Open::Object(members, _)) => Json::Object(members),
                None => return fail("trailing garbage at end of input"),
            }
        } else {
            match token {
                Token::Open(bracket) => {
                    if stack.len() >= MAX_DEPTH {
                        let text = format!("input exceeds maximum nesting depth {MAX_DEPTH}");
                        return fail(&text);
                    }
                    if bracket == b'{' {
                        stack.push(Open::Object(Object::new(), Arc::from("")));
                        state = State::ObjectInit;
                    } else {
                        stack.push(Open::Array(Vec::new()));
                        state = State::ArrayInit;
                    }
                    continue;
                }
                Token::Value(json) => json,
                Token::Str(raw) => Json::Str(cook(at, raw)?),
                _ => return fail("syntax error expecting value"),
            }
        };

        // Hand the finished value to what contains it.
        match stack.last_mut() {
            Some(Open::Array(elements)) => {
                if let Json::Array(a) = &mut done {
                    a.shrink_to_fit();
                }
                elements.push(done);
                state = State::ArrayNext;
            }
            Some(Open::Object(members, name)) => {
                members.insert(std::mem::take(name), done);
                state = State::ObjectNext;
            }
            None => {
                result = Some(done);
                state = State::End;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values() {
        let json =
            Json::parse(r#" {"a" : [1, 2.5, "x\n", null, true, {}], "b":[], "a2":{"c":-1}} "#)
                .unwrap();
        assert_eq!(json.to_string(), r#"{"a":[1,2.5,"x\n",null,true,{}],"a2":{"c":-1},"b":[]}"#);
        assert_eq!(Json::parse_value("\"x\""), Ok(Json::from("x")));
        // The last of two members with one name wins.
        assert_eq!(Json::parse(r#"{"a":1,"a":2}"#).unwrap().to_string(), r#"{"a":2}"#);
    }

    #[test]
    fn errors() {
        for (text, error) in [
            ("", "line 0, column 0, byte 0: empty input stream"),
            ("[1,\n 2", "line 1, column 2, byte 6: unexpected end of input"),
            ("1", "line 0, column 1, byte 1: syntax error at beginning of input"),
            ("[] []", "line 0, column 3, byte 3: trailing garbage at end of input"),
            ("[1 2]", "line 0, column 4, byte 4: syntax error expecting ']' or ','"),
            ("[,]", "line 0, column 1, byte 1: syntax error expecting value"),
            ("[1,]", "line 0, column 3, byte 3: syntax error expecting value"),
            ("{1:2}", "line 0, column 2, byte 2: syntax error parsing object expecting string"),
            ("{\"a\" 1}", "line 0, column 6, byte 6: syntax error parsing object expecting ':'"),
            ("{\"a\":1 []", "line 0, column 7, byte 7: syntax error expecting '}' or ','"),
            ("[nul]", "line 0, column 4, byte 4: invalid keyword 'nul'"),
            ("[@]", "line 0, column 1, byte 1: invalid character '@'"),
            ("[\u{1}]", "line 0, column 1, byte 1: invalid character U+0001"),
            ("[\"a\tb\"]", "line 0, column 3, byte 3: U+0009 must be escaped in quoted string"),
            ("[\"abc", "line 0, column 5, byte 5: unexpected end of input in quoted string"),
            ("[\"\\q\"]", "line 0, column 4, byte 4: bad escape \\q"),
            ("[01]", "line 0, column 3, byte 3: leading zeros not allowed"),
        ] {
            assert_eq!(Json::parse(text).unwrap_err().to_string(), error, "{text}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let ok = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(Json::parse(&ok).is_ok());
        let deep = "[".repeat(1_000_000);
        let error = Json::parse(deep).unwrap_err();
        assert_eq!(error.reason, "input exceeds maximum nesting depth 1000");
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-1000i32..1000).prop_map(|i| Json::Real(f64::from(i) + 0.25)),
            any::<String>().prop_map(|s| Json::from(s.replace('\0', ""))),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                proptest::collection::vec(("[a-z\"\\\\é]{0,4}", inner), 0..6)
                    .prop_map(Json::object::<String, Json>),
            ]
        })
    }

    proptest! {
        #[test]
        fn print_then_parse_is_identity(json in tree()) {
            prop_assert_eq!(Json::parse_value(json.to_string()), Ok(json.clone()));
            prop_assert_eq!(Json::parse_value(json.to_pretty()), Ok(json));
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Json::parse(&bytes);
            let _ = Json::parse_value(&bytes);
        }
    }
}
