//! Types as they print, and as they are refused.

use super::*;

#[test]
fn types_print_as_they_parse() {
    for text in [
        r#""integer""#,
        r#"{"key":{"enum":["set",["a","b"]],"type":"string"}}"#,
        r#"{"key":{"maxInteger":5,"minInteger":-1,"type":"integer"},"max":3,"min":0}"#,
        r#"{"key":{"minReal":0.5,"type":"real"}}"#,
        r#"{"key":{"maxLength":4,"type":"string"},"max":"unlimited"}"#,
        r#"{"key":"string","max":"unlimited","min":0,"value":{"refTable":"T","refType":"weak","type":"uuid"}}"#,
    ] {
        let json = Json::parse_value(text).unwrap();
        assert_eq!(ColumnType::from_json(&json).unwrap().to_json().to_string(), text);
    }
}

#[test]
fn errors() {
    for (text, error) in [
        ("5", "ovsdb type expected"),
        (r#""int""#, "\"int\" is not an atomic-type"),
        (r#"{"key":"integer","min":2,"max":3}"#, "ovsdb type fails constraint checks"),
        (r#"{"key":"integer","max":-1}"#, "bad min or max value"),
        (
            r#"{"key":{"type":"integer","minInteger":2,"maxInteger":1}}"#,
            "minInteger exceeds maxInteger",
        ),
        (
            r#"{"key":{"type":"uuid","refTable":"A","refType":"x"}}"#,
            "refType must be \"strong\" or \"weak\" (not \"x\")",
        ),
        (
            r#"{"key":{"type":"boolean","minInteger":2}}"#,
            "Parsing ovsdb type failed: Member 'minInteger' is present but not allowed here.",
        ),
    ] {
        let json = Json::parse_value(text).unwrap();
        let details = ColumnType::from_json(&json).unwrap_err().details.unwrap();
        assert_eq!(&*details, error, "{text}");
    }
}

#[test]
fn in_english() {
    for (text, english) in [
        (r#""real""#, "real"),
        (r#"{"key":"integer","min":0,"max":3}"#, "set of up to 3 integers"),
        (r#"{"key":"integer","min":1,"max":3}"#, "set of 1 to 3 integers"),
        (r#"{"key":"integer","max":"unlimited"}"#, "set of 1 or more integers"),
        (
            r#"{"key":"string","value":"integer","min":0,"max":"unlimited"}"#,
            "map of (string, integer) pairs",
        ),
    ] {
        let json = Json::parse_value(text).unwrap();
        assert_eq!(ColumnType::from_json(&json).unwrap().to_string(), english);
    }
}
