//! Prints values: compact on one line, or pretty with two blanks a level, as `--pretty` does.
//! Members of objects always come sorted.

use std::fmt;

use crate::number::format_real;
use crate::string::quote_into;
use crate::value::Json;

const SPACES_PER_LEVEL: usize = 2;

struct Printer<'a> {
    out: &'a mut String,
    pretty: bool,
    depth: usize,
}

impl Printer<'_> {
    fn line(&mut self) {
        if self.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', SPACES_PER_LEVEL * self.depth));
        }
    }

    fn value(&mut self, json: &Json) {
        match json {
            Json::Null => self.out.push_str("null"),
            Json::Bool(true) => self.out.push_str("true"),
            Json::Bool(false) => self.out.push_str("false"),
            Json::Int(i) => self.out.push_str(&i.to_string()),
            Json::Real(r) => self.out.push_str(&format_real(*r)),
            Json::Str(s) => quote_into(s, self.out),
            Json::Array(elements) => {
                self.out.push('[');
                self.depth += 1;
                for (i, element) in elements.iter().enumerate() {
                    if i > 0 {
                        self.out.push(',');
                    }
                    self.line();
                    self.value(element);
                }
                self.depth -= 1;
                self.out.push(']');
            }
            Json::Object(members) => {
                self.out.push('{');
                self.depth += 1;
                // OVS starts the line before it knows whether there is a member.
                self.line();
                for (i, (name, member)) in members.iter().enumerate() {
                    if i > 0 {
                        self.out.push(',');
                        self.line();
                    }
                    quote_into(name, self.out);
                    self.out.push_str(if self.pretty { ": " } else { ":" });
                    self.value(member);
                }
                self.out.push('}');
                self.depth -= 1;
            }
        }
    }
}

impl Json {
    /// Appends the compact form to `out`.
    pub fn print_into(&self, out: &mut String) {
        Printer { out, pretty: false, depth: 0 }.value(self);
    }

    /// The form that `--pretty` prints.
    pub fn to_pretty(&self) -> String {
        let mut out = String::new();
        Printer { out: &mut out, pretty: true, depth: 0 }.value(self);
        out
    }
}

/// The compact form.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.print_into(&mut out);
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{array, object};

    #[test]
    fn compact_and_pretty() {
        let json = object! {
            "name" => "x", "a" => array![1, array![], Json::Real(0.5)], "e" => object! {},
        };
        assert_eq!(json.to_string(), r#"{"a":[1,[],0.5],"e":{},"name":"x"}"#);
        // As `ovsdb-tool query --pretty`-style output has it: no line before a closing bracket.
        let pretty =
            "{\n  \"a\": [\n    1,\n    [],\n    0.5],\n  \"e\": {\n    },\n  \"name\": \"x\"}";
        assert_eq!(json.to_pretty(), pretty);
    }
}
