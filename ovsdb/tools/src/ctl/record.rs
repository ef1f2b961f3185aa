//! Records by UUID (or its first digits), by a name that the tool knows for the table, or by `@name`.

use weir_ovsdb::{Atom, TableSchema, Uuid};

use super::{Context, CtlError};

/// One way to name the records of a table.
#[derive(Clone, Copy, Debug)]
pub enum RecordId {
    /// By the value of a column of the record itself.
    Column(&'static str),
    /// `.`: the table has one record.
    Only,
    /// `.`: the record that the only record of another table refers to: `(table, column)`.
    OnlyVia(&'static str, &'static str),
    /// By the name of a record of another table that refers to it: `(table, name, column)`.
    Via(&'static str, &'static str, &'static str),
}

/// The ways to name the records of each table.
pub type TableNames = &'static [(&'static str, &'static [RecordId])];

impl<S> Context<'_, S> {
    /// The record called `id`, or `None` when there is none.
    ///
    /// # Errors
    /// Several match, or a `@name` is unknown.
    pub fn find_record(&self, table: &TableSchema, id: &str) -> Result<Option<Uuid>, CtlError> {
        if let Some(symbol) = id.strip_prefix('@').and_then(|_| self.symbols.get(id)) {
            return Ok(symbol.created.then_some(symbol.uuid));
        }
        let rows = self.rows(&table.name);
        if let Ok(uuid) = Uuid::try_parse(id)
            && id.len() == 36
            && rows.contains(&uuid)
        {
            return Ok(Some(uuid));
        }
        let ways = self.names.iter().find(|(t, _)| *t == &*table.name).map(|(_, ways)| *ways);
        for way in ways.unwrap_or_default() {
            if let Some(row) = self.by_name(table, id, *way)? {
                return Ok(Some(row));
            }
        }
        // At least four digits of a UUID.
        if id.len() < 4 || !id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Ok(None);
        }
        let lower = id.to_ascii_lowercase();
        let mut matches = rows.into_iter().filter(|u| u.to_string().starts_with(&lower));
        let first = matches.next();
        match (first, matches.next()) {
            (Some(one), Some(other)) => Err(CtlError::fatal(format!(
                "{} contains 2 or more rows whose UUIDs begin with {id}: at least {one} and {other}",
                table.name
            ))),
            _ => Ok(first),
        }
    }

    /// As [`Context::find_record`], for commands that need the record.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn record(&self, table: &TableSchema, id: &str) -> Result<Uuid, CtlError> {
        self.find_record(table, id)?
            .ok_or_else(|| CtlError::fatal(format!("no row \"{id}\" in table {}", table.name)))
    }

    fn by_name(
        &self,
        table: &TableSchema,
        id: &str,
        way: RecordId,
    ) -> Result<Option<Uuid>, CtlError> {
        let only = |rows: Vec<Uuid>| if let [row] = rows[..] { Some(row) } else { None };
        match way {
            RecordId::Only => Ok((id == ".").then(|| only(self.rows(&table.name))).flatten()),
            RecordId::OnlyVia(other, column) if id == "." => {
                Ok(only(self.rows(other)).and_then(|r| only(self.uuids(other, r, column))))
            }
            RecordId::OnlyVia(..) => Ok(None),
            RecordId::Column(column) => self.named(table, &table.name, column, id),
            RecordId::Via(other, name, column) => {
                let Some(row) = self.named(table, other, name, id)? else { return Ok(None) };
                Ok(only(self.uuids(other, row, column)))
            }
        }
    }

    /// The row of table `among` whose `column` is `id`; `wanted` is for the error.
    fn named(
        &self,
        wanted: &TableSchema,
        among: &str,
        column: &str,
        id: &str,
    ) -> Result<Option<Uuid>, CtlError> {
        let is =
            |row: &Uuid| match self.get(among, *row, column).as_deref().and_then(|d| d.single()) {
                Some(Atom::String(s)) => **s == *id,
                Some(Atom::Integer(i)) => id.parse() == Ok(*i),
                _ => false,
            };
        let mut rows = self.rows(among).into_iter().filter(is);
        let first = rows.next();
        match rows.next() {
            Some(_) => {
                Err(CtlError::fatal(format!("multiple rows in {} match \"{id}\"", wanted.name)))
            }
            None => Ok(first),
        }
    }
}
