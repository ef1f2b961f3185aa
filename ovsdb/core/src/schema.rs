//! The schema of a database: RFC 7047 section 3.2.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use weir_jsonrpc::{Json, Object};

use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::members::{Kinds, Members, is_id};
use crate::types::{AtomicType, ColumnType, RefType};

/// Where the implicit column `_uuid` stands in every table.
pub const COL_UUID: usize = 0;
/// Where the implicit column `_version` stands in every table.
pub const COL_VERSION: usize = 1;
/// Stands for "no limit" in [`TableSchema::max_rows`].
pub const NO_MAX_ROWS: u32 = u32::MAX;

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSchema {
    /// Its name.
    pub name: Arc<str>,
    /// May an existing row's value change?
    pub mutable: bool,
    /// Is it written to disk?
    pub persistent: bool,
    /// What it may hold.
    pub type_: ColumnType,
    /// The value it has when none is given.
    pub default: Arc<Datum>,
}

impl ColumnSchema {
    fn new(name: &str, mutable: bool, persistent: bool, type_: ColumnType) -> Self {
        // A weak reference must be able to go away with its row.
        let mutable = mutable || type_.has_weak_refs();
        let default = Arc::new(Datum::default_of(&type_));
        Self { name: name.into(), mutable, persistent, type_, default }
    }

    fn from_json(json: &Json, name: &str) -> Result<Self> {
        let mut members = Members::new(json, format!("schema for column {name}"));
        let mutable = members.optional("mutable", Kinds::BOOLEAN).and_then(Json::as_bool);
        let ephemeral = members.optional("ephemeral", Kinds::BOOLEAN).and_then(Json::as_bool);
        let type_ = members.required("type", Kinds::STRING.or(Kinds::OBJECT));
        members.finish()?;
        let type_ = ColumnType::from_json(type_.unwrap_or(json))?;
        Ok(Self::new(name, mutable.unwrap_or(true), !ephemeral.unwrap_or(false), type_))
    }

    fn to_json(&self) -> Json {
        let mut members = Object::new();
        if !self.mutable {
            members.insert("mutable".into(), false.into());
        }
        if !self.persistent {
            members.insert("ephemeral".into(), true.into());
        }
        members.insert("type".into(), self.type_.to_json());
        Json::Object(members)
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSchema {
    /// Its name.
    pub name: Arc<str>,
    /// `mutable` of the schema; no meaning beyond being printed.
    pub mutable: bool,
    /// Do its rows exist without anything referring to them?
    pub is_root: bool,
    /// The most rows; [`NO_MAX_ROWS`] for no limit.
    pub max_rows: u32,
    /// `_uuid`, `_version`, then the columns sorted by name.
    pub columns: Vec<ColumnSchema>,
    /// Sets of columns, by position, that no two rows may have equal.
    pub indexes: Vec<Vec<usize>>,
}

impl TableSchema {
    fn from_json(json: &Json, name: &str) -> Result<Self> {
        let mut members = Members::new(json, format!("table schema for table {name}"));
        let columns = members.required("columns", Kinds::OBJECT).and_then(Json::as_object);
        let mutable = members.optional("mutable", Kinds::BOOLEAN).and_then(Json::as_bool);
        let max_rows = members.optional("maxRows", Kinds::INTEGER).and_then(Json::as_int);
        let is_root = members.optional("isRoot", Kinds::BOOLEAN).and_then(Json::as_bool);
        let indexes = members.optional("indexes", Kinds::ARRAY).and_then(Json::as_array);
        members.finish()?;
        let max_rows = match max_rows {
            None => NO_MAX_ROWS,
            Some(n) if n <= 0 => {
                return Err(OvsdbError::syntax(json, "maxRows must be at least 1"));
            }
            Some(n) => u32::try_from(n).unwrap_or(NO_MAX_ROWS),
        };
        let columns = columns.filter(|columns| !columns.is_empty());
        let Some(columns) = columns else {
            return Err(OvsdbError::syntax(json, "table must have at least one column"));
        };
        let uuid = ColumnType::scalar(AtomicType::Uuid);
        let mut table = Self {
            name: name.into(),
            mutable: mutable.unwrap_or(true),
            is_root: is_root.unwrap_or(false),
            max_rows,
            columns: vec![
                ColumnSchema::new("_uuid", false, true, uuid.clone()),
                ColumnSchema::new("_version", false, false, uuid),
            ],
            indexes: Vec::new(),
        };
        for (name, column) in columns {
            check_name(json, name)?;
            table.columns.push(ColumnSchema::from_json(column, name)?);
        }
        for index in indexes.unwrap_or_default() {
            let index = table.column_set(Some(index))?;
            if index.is_empty() {
                return Err(OvsdbError::syntax(json, "index must have at least one column"));
            }
            let ephemeral = index.iter().filter_map(|&c| table.columns.get(c));
            if let Some(column) = { ephemeral }.find(|column| !column.persistent) {
                let text =
                    format!("ephemeral columns (such as {}) may not be indexed", column.name);
                return Err(OvsdbError::syntax(json, text));
            }
            table.indexes.push(index);
        }
        Ok(table)
    }

    fn to_json(&self, default_is_root: bool) -> Json {
        let mut members = Object::new();
        if !self.mutable {
            members.insert("mutable".into(), false.into());
        }
        if self.is_root != default_is_root {
            members.insert("isRoot".into(), self.is_root.into());
        }
        let columns = self.own_columns().map(|column| (column.name.clone(), column.to_json()));
        members.insert("columns".into(), Json::Object(columns.collect()));
        if self.max_rows != NO_MAX_ROWS {
            members.insert("maxRows".into(), self.max_rows.into());
        }
        if !self.indexes.is_empty() {
            let names = |index: &Vec<usize>| self.column_names(index);
            members.insert("indexes".into(), Json::Array(self.indexes.iter().map(names).collect()));
        }
        Json::Object(members)
    }

    /// The columns without `_uuid` and `_version`.
    pub fn own_columns(&self) -> impl Iterator<Item = &ColumnSchema> {
        self.columns.iter().skip(COL_VERSION + 1)
    }

    /// The position of the column called `name`.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        match name {
            "_uuid" => Some(COL_UUID),
            "_version" => Some(COL_VERSION),
            _ => {
                let own = self.columns.get(COL_VERSION + 1..)?;
                let at = own.binary_search_by(|column| (*column.name).cmp(name)).ok()?;
                Some(at + COL_VERSION + 1)
            }
        }
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.get(self.column_index(name)?)
    }

    /// Reads an array of distinct column names; without one, all columns are meant.
    ///
    /// # Errors
    /// A syntax error.
    pub fn column_set(&self, json: Option<&Json>) -> Result<Vec<usize>> {
        let Some(json) = json else { return Ok((0..self.columns.len()).collect()) };
        let malformed = || OvsdbError::syntax(json, "array of distinct column names expected");
        let mut set = Vec::new();
        for name in json.as_array().ok_or_else(malformed)? {
            let name = name.as_str().ok_or_else(malformed)?;
            let index = self.column_index(name).ok_or_else(|| {
                OvsdbError::syntax(json, format!("{name} is not a valid column name"))
            })?;
            if set.contains(&index) {
                return Err(malformed());
            }
            set.push(index);
        }
        Ok(set)
    }

    /// The array of the names of the columns at `set`.
    pub fn column_names(&self, set: &[usize]) -> Json {
        let names = set.iter().filter_map(|&c| self.columns.get(c));
        Json::Array(names.map(|column| Json::Str(column.name.clone())).collect())
    }
}

/// A database's schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The database's name.
    pub name: Arc<str>,
    /// `x.y.z`, or empty in very old schemas.
    pub version: Arc<str>,
    /// The file's checksum and length, or empty; see [`crate::cksum`].
    pub cksum: Arc<str>,
    /// The tables, sorted by name.
    pub tables: Vec<Arc<TableSchema>>,
}

impl Schema {
    /// Reads a `<database-schema>`.
    ///
    /// # Errors
    /// A syntax error.
    pub fn from_json(json: &Json) -> Result<Self> {
        let mut members = Members::new(json, "database schema");
        let name = members.required("name", Kinds::ID).and_then(Json::as_shared_str);
        let version = members.optional("version", Kinds::STRING).and_then(Json::as_shared_str);
        let cksum = members.optional("cksum", Kinds::STRING).and_then(Json::as_shared_str);
        let tables = members.required("tables", Kinds::OBJECT).and_then(Json::as_object);
        members.finish()?;
        let or_empty = |s: Option<&Arc<str>>| s.cloned().unwrap_or_else(|| Arc::from(""));
        if let Some(version) = version.filter(|version| parse_version(version).is_none()) {
            let text = format!("schema version \"{version}\" not in format x.y.z");
            return Err(OvsdbError::syntax(json, text));
        }
        let mut parsed = BTreeMap::new();
        for (name, table) in tables.into_iter().flatten() {
            check_name(json, name)?;
            parsed.insert(name, TableSchema::from_json(table, name)?);
        }
        // Before `isRoot` existed there was no garbage collection: a schema without any means that
        // every table is in the root set.
        if !parsed.values().any(|table| table.is_root) {
            parsed.values_mut().for_each(|table| table.is_root = true);
        }
        let roots: BTreeMap<Arc<str>, bool> =
            parsed.values().map(|table| (table.name.clone(), table.is_root)).collect();
        for table in parsed.values_mut() {
            for column in &mut table.columns {
                check_references(column, &roots)?;
            }
        }
        Ok(Self {
            name: or_empty(name),
            version: or_empty(version),
            cksum: or_empty(cksum),
            tables: parsed.into_values().map(Arc::new).collect(),
        })
    }

    /// Parses the text of a schema file.
    ///
    /// # Errors
    /// The text is not JSON, or the JSON is not a schema.
    pub fn parse(text: &str) -> Result<Self> {
        let json =
            Json::parse(text).map_err(|e| OvsdbError::new(tag::READ_SCHEMA, e.to_string()))?;
        Self::from_json(&json)
    }

    /// Reads the schema file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is not JSON, or is not a schema.
    pub fn from_file(path: &Path) -> Result<Self> {
        let shown = path.display();
        let unreadable = |why: String| {
            let text = format!("\"{shown}\" could not be read as JSON ({why})");
            OvsdbError::new(tag::READ_SCHEMA, text)
        };
        let text = std::fs::read(path).map_err(|e| {
            let why = OvsdbError::io(&e, "").io_error.unwrap_or_default();
            unreadable(format!("error opening \"{shown}\": {why}"))
        })?;
        let json = Json::parse(text).map_err(|e| unreadable(e.to_string()))?;
        Self::from_json(&json)
            .map_err(|e| e.wrap(format_args!("failed to parse \"{shown}\" as ovsdb schema")))
    }

    /// The `<database-schema>`.
    pub fn to_json(&self) -> Json {
        let mut members = Object::new();
        members.insert("name".into(), self.name.clone().into());
        if !self.version.is_empty() {
            members.insert("version".into(), self.version.clone().into());
        }
        if !self.cksum.is_empty() {
            members.insert("cksum".into(), self.cksum.clone().into());
        }
        let default_is_root = self.tables.iter().all(|table| table.is_root);
        let tables =
            self.tables.iter().map(|table| (table.name.clone(), table.to_json(default_is_root)));
        members.insert("tables".into(), Json::Object(tables.collect()));
        Json::Object(members)
    }

    /// The position of the table called `name`.
    pub fn table_index(&self, name: &str) -> Option<usize> {
        self.tables.binary_search_by(|table| (*table.name).cmp(name)).ok()
    }

    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<&Arc<TableSchema>> {
        self.tables.get(self.table_index(name)?)
    }
}

/// The three numbers of a version `x.y.z`.
pub fn parse_version(version: &str) -> Option<[u64; 3]> {
    let mut parts = version.split('.').map(|part| {
        // Digits only; `parse` would take a sign.
        if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

fn check_name(json: &Json, name: &str) -> Result<()> {
    if name.starts_with('_') {
        Err(OvsdbError::syntax(json, "names beginning with \"_\" are reserved"))
    } else if !is_id(name) {
        Err(OvsdbError::syntax(json, "name must be a valid id"))
    } else {
        Ok(())
    }
}

fn check_references(column: &mut ColumnSchema, roots: &BTreeMap<Arc<str>, bool>) -> Result<()> {
    let mut persistent = column.persistent;
    for (base, what) in column.type_.bases().zip(["key", "value"]) {
        let Some((table, kind)) = base.reference() else { continue };
        let Some(is_root) = roots.get(table) else {
            let name = &column.name;
            let text = format!("column {name} {what} refers to undefined table {table}");
            return Err(OvsdbError::new(tag::SYNTAX, text));
        };
        // If an ephemeral column held the only reference to a row, the row would vanish when the
        // log is read again, while later records may change it.
        persistent |= kind == RefType::Strong && !is_root;
    }
    column.persistent = persistent;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"name":"t","tables":{
        "A":{"columns":{"b":{"type":"integer"},"a":{"type":"string","mutable":false}},
             "isRoot":true,"indexes":[["b","a"]],"maxRows":3},
        "B":{"columns":{"r":{"ephemeral":true,"type":
             {"key":{"type":"uuid","refTable":"B"},"min":0}}}}},"version":"1.2.3"}"#;

    #[test]
    fn prints_as_it_parses() {
        let schema = Schema::parse(SMALL).unwrap();
        let table = schema.table("A").unwrap();
        assert_eq!(table.column_index("a"), Some(2));
        assert_eq!(table.column_index("_uuid"), Some(COL_UUID));
        assert_eq!(table.indexes, [vec![3, 2]]);
        // A strong reference to a table outside the root set is written to disk all the same.
        assert!(schema.table("B").unwrap().column("r").unwrap().persistent);
        let printed = schema.to_json();
        assert_eq!(Schema::from_json(&printed).unwrap(), schema);
        assert!(printed.to_string().contains(r#""isRoot":true"#));
    }

    #[test]
    fn errors() {
        for (from, to, error) in [
            ("1.2.3", "1.2", "schema version \"1.2\" not in format x.y.z"),
            ("\"A\":", "\"_A\":", "names beginning with \"_\" are reserved"),
            ("\"maxRows\":3", "\"maxRows\":0", "maxRows must be at least 1"),
            ("[\"b\",\"a\"]", "[\"b\",\"b\"]", "array of distinct column names expected"),
            ("[\"b\",\"a\"]", "[\"b\",\"c\"]", "c is not a valid column name"),
            ("[\"b\",\"a\"]", "[]", "index must have at least one column"),
            (
                "\"refTable\":\"B\"",
                "\"refTable\":\"C\"",
                "column r key refers to undefined table C",
            ),
        ] {
            let details = Schema::parse(&SMALL.replace(from, to)).unwrap_err().details.unwrap();
            assert_eq!(&*details, error);
        }
    }

    #[test]
    fn versions() {
        assert_eq!(parse_version("8.10.0"), Some([8, 10, 0]));
        for bad in ["", "1.2", "1.2.3.4", "1.+2.3", "1..3"] {
            assert_eq!(parse_version(bad), None);
        }
    }
}
