//! Mutations: RFC 7047 section 5.1 `<mutation>`.

use std::sync::Arc;

use weir_jsonrpc::Json;

use crate::atom::Atom;
use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::row::Row;
use crate::schema::{ColumnSchema, TableSchema};
use crate::symbol::SymbolTable;
use crate::types::{AtomicType, BaseType, ColumnType, UNLIMITED};

/// How a mutation changes a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutator {
    /// `+=`
    Add,
    /// `-=`
    Subtract,
    /// `*=`
    Multiply,
    /// `/=`
    Divide,
    /// `%=`
    Remainder,
    /// `insert`
    Insert,
    /// `delete`
    Delete,
}

const MUTATORS: [(&str, Mutator); 7] = [
    ("+=", Mutator::Add),
    ("-=", Mutator::Subtract),
    ("*=", Mutator::Multiply),
    ("/=", Mutator::Divide),
    ("%=", Mutator::Remainder),
    ("insert", Mutator::Insert),
    ("delete", Mutator::Delete),
];

impl Mutator {
    fn name(self) -> &'static str {
        MUTATORS.iter().find(|(_, mutator)| *mutator == self).map_or("", |(name, _)| name)
    }
}

/// One change of one column.
#[derive(Clone, Debug)]
pub struct Mutation {
    column: usize,
    mutator: Mutator,
    arg: Datum,
}

impl Mutation {
    /// Reads a `<mutation>` of rows of `table`.
    ///
    /// # Errors
    /// What is wrong with it, in OVS's words.
    pub fn from_json(
        table: &TableSchema,
        json: &Json,
        mut symbols: Option<&mut SymbolTable>,
    ) -> Result<Self> {
        let Some([Json::Str(column_name), Json::Str(mutator_name), arg]) = json.as_array() else {
            return Err(OvsdbError::syntax(json, "Parse error in mutation."));
        };
        let (index, column) = table
            .column_index(column_name)
            .and_then(|index| Some((index, table.columns.get(index)?)))
            .ok_or_else(|| {
                let text = format!("No column {column_name} in table {}.", table.name);
                OvsdbError::at(json, tag::UNKNOWN_COLUMN, text)
            })?;
        if !column.mutable {
            let text =
                format!("Cannot mutate immutable column {column_name} in table {}.", table.name);
            return Err(OvsdbError::at(json, tag::CONSTRAINT, text));
        }
        let mutator = MUTATORS
            .iter()
            .find(|(name, _)| *name == &**mutator_name)
            .map(|(_, mutator)| *mutator)
            .ok_or_else(|| {
                let text = format!("No mutator named {mutator_name}.");
                OvsdbError::new(tag::UNKNOWN_MUTATOR, text)
            })?;
        let type_ = &column.type_;
        let fits = match mutator {
            Mutator::Insert | Mutator::Delete => type_.is_set() || type_.is_map(),
            Mutator::Remainder => !type_.is_map() && type_.key.atomic == AtomicType::Integer,
            _ => {
                !type_.is_map()
                    && matches!(type_.key.atomic, AtomicType::Integer | AtomicType::Real)
            }
        };
        if !fits {
            let text = format!(
                "Type mismatch: \"{mutator_name}\" operator may not be applied to column \
                 {column_name} of type {type_}."
            );
            return Err(OvsdbError::syntax(json, text));
        }
        let arg = match mutator {
            Mutator::Insert => {
                let type_ = ColumnType { min: 0, ..type_.clone() };
                Datum::from_json(&type_, arg, symbols)?
            }
            Mutator::Delete => {
                let type_ = ColumnType { min: 0, max: UNLIMITED, ..type_.clone() };
                match Datum::from_json(&type_, arg, symbols.as_deref_mut()) {
                    // Keys are enough to delete from a map.
                    Err(_) if type_.is_map() => {
                        Datum::from_json(&ColumnType { value: None, ..type_ }, arg, symbols)?
                    }
                    other => other?,
                }
            }
            // The operand may break the constraints that only the result has to meet.
            _ => {
                let type_ = ColumnType {
                    key: BaseType::new(type_.key.atomic),
                    ..ColumnType::scalar(type_.key.atomic)
                };
                Datum::from_json(&type_, arg, symbols)?
            }
        };
        Ok(Self { column: index, mutator, arg })
    }

    /// Changes `row`.
    ///
    /// # Errors
    /// The result does not exist or does not fit the column.
    pub fn apply(&self, table: &TableSchema, row: &mut Row) -> Result<()> {
        let Some(column) = table.columns.get(self.column) else { return Ok(()) };
        let field = row.get(self.column);
        let changed = match self.mutator {
            Mutator::Insert => checked(field.union(&self.arg), column)?,
            Mutator::Delete => checked(field.subtract(&self.arg), column)?,
            _ => self.calculate(field, column)?,
        };
        row.set(self.column, Arc::new(changed));
        Ok(())
    }

    fn calculate(&self, field: &Datum, column: &ColumnSchema) -> Result<Datum> {
        let Some(operand) = self.arg.single() else { return Ok(field.clone()) };
        let result = field.try_map_keys(|atom| match (atom, operand) {
            (Atom::Integer(x), Atom::Integer(y)) => self.integer(*x, *y),
            (Atom::Real(x), Atom::Real(y)) => self.real(*x, *y),
            _ => Ok(atom.clone()),
        });
        match result {
            Ok(datum) => datum.check(&column.type_).map(|()| datum),
            Err(e) if e.tag == tag::OVSDB => Err(OvsdbError::constraint(format!(
                "Result of \"{}\" operation contains duplicates.",
                self.mutator.name()
            ))),
            Err(e) => Err(e),
        }
    }

    fn integer(&self, x: i64, y: i64) -> Result<Atom> {
        let result = match self.mutator {
            Mutator::Add => x.checked_add(y),
            Mutator::Subtract => x.checked_sub(y),
            Mutator::Multiply => x.checked_mul(y),
            _ if y == 0 => return Err(division_by_zero()),
            Mutator::Divide => x.checked_div(y),
            _ => x.checked_rem(y),
        };
        result.map(Atom::Integer).ok_or_else(|| self.out_of_range())
    }

    fn real(&self, x: f64, y: f64) -> Result<Atom> {
        let result = match self.mutator {
            Mutator::Add => x + y,
            Mutator::Subtract => x - y,
            Mutator::Multiply => x * y,
            _ if y == 0.0 => return Err(division_by_zero()),
            _ => x / y,
        };
        if result.is_finite() { Ok(Atom::from(result)) } else { Err(self.out_of_range()) }
    }

    fn out_of_range(&self) -> OvsdbError {
        let text = format!("Result of \"{}\" operation is out of range.", self.mutator.name());
        OvsdbError::new(tag::RANGE, text)
    }
}

fn division_by_zero() -> OvsdbError {
    OvsdbError::new(tag::DOMAIN, "Division by zero.")
}

fn checked(datum: Datum, column: &ColumnSchema) -> Result<Datum> {
    if datum.conforms_to(&column.type_) {
        Ok(datum)
    } else {
        let text = format!("Attempted to store {} elements in {}.", datum.len(), column.type_);
        Err(OvsdbError::constraint(text))
    }
}
