//! [`Scanner`]: reads datapath text from left to right.

/// Text that is not a datapath flow or action list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error at {0}")]
pub struct SyntaxError(
    /// The text from the attribute or action that was not understood.
    pub String,
);

/// The part of a text that was not read yet.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.0
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// Passes over `token`, if it is next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        match self.0.strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// [`Scanner::eat`], to be used with `?`.
    pub(super) fn expect(&mut self, token: &str) -> Option<()> {
        self.eat(token).then_some(())
    }

    /// Reads as many characters as are of a kind.
    pub(super) fn word(&mut self, kind: impl Fn(char) -> bool) -> &'a str {
        let len = self.0.find(|c| !kind(c)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(len);
        self.0 = rest;
        word
    }

    /// Passes over white space and commas.
    pub(super) fn separators(&mut self) {
        self.word(|c| c.is_ascii_whitespace() || c == ',');
    }

    /// Reads a number: hexadecimal after `0x`, octal after `0`, else decimal.
    pub(super) fn number(&mut self) -> Option<u128> {
        if self.eat("0x") || self.eat("0X") {
            return u128::from_str_radix(self.word(|c| c.is_ascii_hexdigit()), 16).ok();
        }
        let digits = self.word(|c| c.is_ascii_digit());
        match digits.strip_prefix('0') {
            Some("") => Some(0),
            Some(octal) => u128::from_str_radix(octal, 8).ok(),
            None => digits.parse().ok(),
        }
    }

    /// Reads a number of a smaller type.
    pub(super) fn int<T: TryFrom<u128>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    /// Reads an Ethernet address.
    pub(super) fn mac(&mut self) -> Option<u128> {
        let text = self.word(|c| c.is_ascii_hexdigit() || c == ':');
        let (mut v, mut n) = (0, 0);
        for octet in text.split(':') {
            if octet.is_empty() || octet.len() > 2 {
                return None;
            }
            v = v << 8 | u128::from_str_radix(octet, 16).ok()?;
            n += 1;
        }
        (n == 6).then_some(v)
    }

    /// Reads `name=value` pairs up to the closing parenthesis. `read` is given each name and reads
    /// its value.
    pub(super) fn fields(
        &mut self,
        mut read: impl FnMut(&mut Self, &'a str) -> Option<()>,
    ) -> Option<()> {
        loop {
            if self.eat(")") {
                return Some(());
            }
            let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
            if name.is_empty() {
                return None;
            }
            self.expect("=")?;
            read(self, name)?;
            if !self.eat(",") {
                return self.expect(")");
            }
        }
    }
}
