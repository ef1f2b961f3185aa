//! Tables as `ovs-vsctl list` and `ovsdb-client dump` print them: `--format`, `--data`,
//! `--no-headings`, `--max-column-width`.

use weir_jsonrpc::Json;
use weir_ovsdb::text::{datum_to_bare, datum_to_string};
use weir_ovsdb::{ColumnType, Datum, Uuid};
use weir_runtime::argv::{Given, Opt};

/// The options of table output.
pub const OPTIONS: &[Opt] = &[
    Opt::required("format").short('f'),
    Opt::required("data").short('d'),
    Opt::flag("no-headings"),
    Opt::flag("pretty"),
    Opt::flag("bare"),
    Opt::required("max-column-width"),
];

/// Obeys one option of [`OPTIONS`]. False if it is another's.
///
/// # Errors
/// The value is wrong, in OVS's words.
pub fn handle_option(given: &Given, style: &mut Style) -> Result<bool, String> {
    match given.id {
        "format" => style.format = Format::parse(given.text())?,
        "data" => style.data = Data::parse(given.text())?,
        "no-headings" => style.headings = false,
        "pretty" => style.pretty = true,
        "bare" => {
            style.format = Format::List;
            style.data = Data::Bare;
            style.headings = false;
        }
        "max-column-width" => style.max_column_width = given.text().parse().unwrap_or(0),
        _ => return Ok(false),
    }
    Ok(true)
}

/// `--format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the option")]
pub enum Format {
    Table,
    List,
    Html,
    Csv,
    Json,
}

/// `--data`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the option")]
pub enum Data {
    String,
    Bare,
    Json,
}

/// How tables are printed.
#[derive(Clone, Debug)]
pub struct Style {
    /// The layout.
    pub format: Format,
    /// The form of a cell.
    pub data: Data,
    /// With the names of the columns?
    pub headings: bool,
    /// One member a line in JSON?
    pub pretty: bool,
    /// Widest column of [`Format::Table`]; 0 is no limit.
    pub max_column_width: usize,
    /// Print a time before each table.
    pub timestamp: Option<String>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            format: Format::List,
            data: Data::String,
            headings: true,
            pretty: false,
            max_column_width: 0,
            timestamp: None,
        }
    }
}

impl Format {
    /// Reads the argument of `--format`.
    ///
    /// # Errors
    /// The complaint, in OVS's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "table" => Self::Table,
            "list" => Self::List,
            "html" => Self::Html,
            "csv" => Self::Csv,
            "json" => Self::Json,
            _ => return Err(format!("unknown output format \"{text}\"")),
        })
    }
}

impl Data {
    /// Reads the argument of `--data`.
    ///
    /// # Errors
    /// The complaint, in OVS's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "string" => Self::String,
            "bare" => Self::Bare,
            "json" => Self::Json,
            _ => return Err(format!("unknown data format \"{text}\"")),
        })
    }
}

/// One cell.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Plain text.
    Text(String),
    /// A value of a column.
    Datum(Datum, ColumnType),
    /// A JSON value, such as a schema's type.
    Json(Json),
}

impl Cell {
    /// A row's UUID.
    #[must_use]
    pub fn uuid(uuid: Uuid) -> Self {
        let type_ = ColumnType::scalar(weir_ovsdb::AtomicType::Uuid);
        Self::Datum(Datum::scalar(weir_ovsdb::Atom::Uuid(uuid)), type_)
    }

    fn text(&self, data: Data) -> String {
        match (self, data) {
            (Self::Empty, _) => String::new(),
            (Self::Text(text), _) => text.clone(),
            (Self::Json(json), _) => json.to_string(),
            (Self::Datum(datum, type_), Data::String) => datum_to_string(datum, type_),
            (Self::Datum(datum, _), Data::Bare) => datum_to_bare(datum),
            (Self::Datum(datum, type_), Data::Json) => datum.to_json(type_).to_string(),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Empty => Json::Null,
            Self::Text(text) => Json::str(text.as_str()),
            Self::Json(json) => json.clone(),
            Self::Datum(datum, type_) => datum.to_json(type_),
        }
    }
}

/// A table: headings and rows of as many cells.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Printed above the table.
    pub caption: Option<String>,
    /// Names of the columns.
    pub headings: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The table as text. `first` is false when another table was printed before: a blank line
    /// then separates the two.
    #[must_use]
    pub fn format(&self, style: &Style, first: bool) -> String {
        let mut out = String::new();
        match style.format {
            Format::Table => self.as_table(style, first, &mut out),
            Format::List => self.as_list(style, first, &mut out),
            Format::Html => self.as_html(style, &mut out),
            Format::Csv => self.as_csv(style, first, &mut out),
            Format::Json => self.as_json(style, &mut out),
        }
        out
    }

    fn preamble(&self, style: &Style, first: bool, out: &mut String) {
        if !first {
            out.push('\n');
        }
        if let Some(time) = &style.timestamp {
            out.push_str(time);
            out.push('\n');
        }
        if let Some(caption) = &self.caption {
            out.push_str(caption);
            out.push('\n');
        }
    }

    fn cells(&self, style: &Style) -> Vec<Vec<String>> {
        self.rows.iter().map(|r| r.iter().map(|c| c.text(style.data)).collect()).collect()
    }

    fn as_table(&self, style: &Style, first: bool, out: &mut String) {
        self.preamble(style, first, out);
        let cells = self.cells(style);
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|i| {
                let widest = cells.iter().filter_map(|r| Some(r.get(i)?.chars().count())).max();
                let widest = widest.unwrap_or(0);
                let limited = match style.max_column_width {
                    0 => widest,
                    max => widest.min(max),
                };
                let heading = self.headings.get(i).map_or(0, |h| h.chars().count());
                if style.headings { limited.max(heading) } else { limited }
            })
            .collect();
        let mut line = |words: &[String]| {
            let padded = words.iter().zip(&widths).map(|(w, width)| {
                let cut: String = w.chars().take(*width).collect();
                format!("{cut:<width$}")
            });
            let text = padded.collect::<Vec<_>>().join(" ");
            out.push_str(text.trim_end_matches(' '));
            out.push('\n');
        };
        if style.headings {
            line(&self.headings);
            line(&widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<_>>());
        }
        for row in &cells {
            line(row);
        }
    }

    fn as_list(&self, style: &Style, first: bool, out: &mut String) {
        self.preamble(style, first, out);
        for (i, row) in self.cells(style).iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            for (heading, cell) in self.headings.iter().zip(row) {
                if style.headings {
                    out.push_str(&format!("{heading:<20}: "));
                }
                out.push_str(cell);
                out.push('\n');
            }
        }
    }

    fn as_csv(&self, style: &Style, first: bool, out: &mut String) {
        self.preamble(style, first, out);
        let mut line = |words: &[String]| {
            let quoted: Vec<String> = words.iter().map(|w| csv(w)).collect();
            out.push_str(&quoted.join(","));
            out.push('\n');
        };
        if style.headings {
            line(&self.headings);
        }
        for row in self.cells(style) {
            line(&row);
        }
    }

    fn as_html(&self, style: &Style, out: &mut String) {
        if let Some(time) = &style.timestamp {
            out.push_str(&format!("<p>{}</p>\n", html(time)));
        }
        out.push_str("<table border=1>\n");
        if let Some(caption) = &self.caption {
            out.push_str(&format!("    <caption>{}</caption>\n", html(caption)));
        }
        if style.headings {
            out.push_str("  <tr>\n");
            for heading in &self.headings {
                out.push_str(&format!("    <th>{}</th>\n", html(heading)));
            }
            out.push_str("  </tr>\n");
        }
        for row in &self.rows {
            out.push_str("  <tr>\n");
            for (i, cell) in row.iter().enumerate() {
                let is_own = self.headings.get(i).is_some_and(|h| h == "_uuid");
                let text = with_links(&html(&cell.text(style.data)), is_own);
                out.push_str(&format!("    <td>{text}</td>\n"));
            }
            out.push_str("  </tr>\n");
        }
        out.push_str("</table>\n");
    }

    fn as_json(&self, style: &Style, out: &mut String) {
        let text = |s: &String| Json::str(s.as_str());
        let rows = self.rows.iter().map(|r| Json::array(r.iter().map(Cell::json)));
        let mut members = vec![
            ("data", Json::array(rows)),
            ("headings", Json::array(self.headings.iter().map(text))),
        ];
        members.extend(self.caption.as_ref().map(|c| ("caption", text(c))));
        members.extend(style.timestamp.as_ref().map(|t| ("time", text(t))));
        let json = Json::object(members);
        out.push_str(&if style.pretty { json.to_pretty() } else { json.to_string() });
        out.push('\n');
    }
}

/// RFC 4180 quoting.
fn csv(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Makes each UUID a link to its row, or the place that links lead to.
fn with_links(text: &str, is_own: bool) -> String {
    const UUID_LEN: usize = 36;
    let (mut out, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let word = rest.get(..UUID_LEN);
        if let Some(uuid) = word.filter(|w| weir_ovsdb::atom::uuid_from_string(w).is_some()) {
            let (what, mark) = if is_own { ("name", "") } else { ("href", "#") };
            let short = uuid.get(..8).unwrap_or(uuid);
            out.push_str(&format!("<a {what}=\"{mark}{uuid}\">{short}</a>"));
            rest = rest.get(UUID_LEN..).unwrap_or_default();
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let text = |s: &str| Cell::Text(s.to_owned());
        Table {
            caption: None,
            headings: vec!["name".into(), "x".into()],
            rows: vec![vec![text("br0"), text("{a=b, \"c\"}")], vec![text("br1"), text("")]],
        }
    }

    #[test]
    fn layouts_as_observed() {
        let style = |format| Style { format, ..Style::default() };
        let t = sample();
        assert_eq!(
            t.format(&style(Format::Table), true),
            "name x\n---- ----------\nbr0  {a=b, \"c\"}\nbr1\n"
        );
        assert_eq!(
            t.format(&style(Format::List), true),
            "name                : br0\nx                   : {a=b, \"c\"}\n\n\
             name                : br1\nx                   : \n"
        );
        assert_eq!(
            t.format(&style(Format::Csv), false),
            "\nname,x\nbr0,\"{a=b, \"\"c\"\"}\"\nbr1,\n"
        );
        assert_eq!(Table::default().format(&style(Format::List), true), "");
    }

    #[test]
    fn columns_are_never_narrower_than_their_names() {
        let style = Style { format: Format::Table, max_column_width: 2, ..Style::default() };
        assert_eq!(sample().format(&style, true), "name x\n---- --\nbr0  {a\nbr1\n");
    }
}
