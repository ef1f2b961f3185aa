//! Conditions: RFC 7047 section 5.1 `<condition>`, in the `where` of operations (all clauses must
//! hold) and of monitors (any clause is enough).

use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::Json;

use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::row::Row;
use crate::schema::{COL_UUID, TableSchema};
use crate::symbol::SymbolTable;
use crate::types::{AtomicType, UNLIMITED};

/// How a clause compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `includes`
    Includes,
    /// `excludes`
    Excludes,
}

const FUNCTIONS: [(&str, Function); 8] = [
    ("<", Function::Less),
    ("<=", Function::LessOrEqual),
    ("==", Function::Equal),
    ("!=", Function::NotEqual),
    (">", Function::Greater),
    (">=", Function::GreaterOrEqual),
    ("includes", Function::Includes),
    ("excludes", Function::Excludes),
];

/// One test.
#[derive(Clone, Debug, PartialEq)]
enum Clause {
    Constant(bool),
    Compare { column: usize, function: Function, arg: Arc<Datum> },
}

/// A list of clauses on the rows of one table.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Condition {
    clauses: Vec<Clause>,
}

impl Condition {
    /// The condition that every row meets.
    pub fn always() -> Self {
        Self::default()
    }

    /// The condition that only the row called `uuid` meets.
    pub fn row(uuid: Uuid) -> Self {
        let arg = Arc::new(Datum::scalar(uuid));
        Self { clauses: vec![Clause::Compare { column: COL_UUID, function: Function::Equal, arg }] }
    }

    /// Reads an array of clauses.
    ///
    /// # Errors
    /// The first clause that is malformed, in OVS's words.
    pub fn from_json(
        table: &TableSchema,
        json: &Json,
        mut symbols: Option<&mut SymbolTable>,
    ) -> Result<Self> {
        let clauses = json.as_array().unwrap_or_default();
        let clauses = clauses
            .iter()
            .map(|clause| Clause::from_json(table, clause, symbols.as_deref_mut()))
            .collect::<Result<_>>()?;
        Ok(Self { clauses })
    }

    /// Adds the clauses of `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.clauses.extend(other.clauses);
    }

    /// Does `row` meet every clause?
    pub fn matches(&self, row: &Row) -> bool {
        self.clauses.iter().all(|clause| clause.matches(row))
    }

    /// Does `row` meet any clause, or are there none?
    pub fn matches_any(&self, row: &Row) -> bool {
        self.clauses.is_empty() || self.clauses.iter().any(|clause| clause.matches(row))
    }

    /// Does every row meet it?
    pub fn is_always(&self) -> bool {
        self.clauses.iter().all(|clause| *clause == Clause::Constant(true))
    }

    /// The columns that it looks at.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.clauses.iter().filter_map(|clause| match clause {
            Clause::Compare { column, .. } => Some(*column),
            Clause::Constant(_) => None,
        })
    }

    /// The values that `columns` must have, if clauses give all of them.
    pub fn required_values(&self, columns: &[usize]) -> Option<Vec<Arc<Datum>>> {
        let value = |wanted: &usize| {
            self.clauses.iter().find_map(|clause| match clause {
                Clause::Compare { column, function: Function::Equal, arg } if column == wanted => {
                    Some(arg.clone())
                }
                _ => None,
            })
        };
        columns.iter().map(value).collect()
    }

    /// The name of the only row that can meet the condition, if a clause gives it.
    pub fn only_uuid(&self) -> Option<Uuid> {
        self.clauses.iter().find_map(|clause| match clause {
            Clause::Compare { column: COL_UUID, function: Function::Equal, arg } => {
                arg.single()?.as_uuid()
            }
            _ => None,
        })
    }
}

impl Clause {
    fn from_json(
        table: &TableSchema,
        json: &Json,
        symbols: Option<&mut SymbolTable>,
    ) -> Result<Self> {
        if let Some(constant) = json.as_bool() {
            return Ok(Self::Constant(constant));
        }
        let Some([Json::Str(column_name), Json::Str(function_name), arg]) = json.as_array() else {
            return Err(OvsdbError::syntax(json, "Parse error in condition."));
        };
        let (index, column) = table
            .column_index(column_name)
            .and_then(|index| Some((index, table.columns.get(index)?)))
            .ok_or_else(|| {
                let text = format!("No column {column_name} in table {}.", table.name);
                OvsdbError::at(json, tag::UNKNOWN_COLUMN, text)
            })?;
        let function = FUNCTIONS
            .iter()
            .find(|(name, _)| *name == &**function_name)
            .map(|(_, function)| *function)
            .ok_or_else(|| {
                let text = format!("No function named {function_name}.");
                OvsdbError::new(tag::UNKNOWN_FUNCTION, text)
            })?;
        let mut type_ = column.type_.clone();
        match function {
            Function::Less
            | Function::LessOrEqual
            | Function::Greater
            | Function::GreaterOrEqual => {
                let is_number = matches!(type_.key.atomic, AtomicType::Integer | AtomicType::Real);
                if !is_number || !(type_.is_scalar() || type_.is_optional_scalar()) {
                    let text = format!(
                        "Type mismatch: \"{function_name}\" operator may not be applied to \
                         column {column_name} of type {type_}."
                    );
                    return Err(OvsdbError::syntax(json, text));
                }
                type_.min = 1;
            }
            Function::Equal | Function::NotEqual => {}
            Function::Excludes if !type_.is_scalar() => {
                (type_.min, type_.max) = (0, UNLIMITED);
            }
            Function::Includes if !type_.is_scalar() => type_.min = 0,
            Function::Excludes | Function::Includes => {}
        }
        let arg = Arc::new(Datum::from_json(&type_, arg, symbols)?);
        Ok(Self::Compare { column: index, function, arg })
    }

    fn matches(&self, row: &Row) -> bool {
        let Self::Compare { column, function, arg } = self else {
            return *self == Self::Constant(true);
        };
        let field = row.get(*column);
        // An ordering never holds for a value that is not there.
        let ordered = |holds: fn(std::cmp::Ordering) -> bool| match (field.single(), arg.single()) {
            (Some(field), Some(arg)) => holds(field.cmp(arg)),
            _ => false,
        };
        match function {
            Function::Equal => field == &**arg,
            Function::NotEqual => field != &**arg,
            Function::Includes => arg.is_included_in(field),
            Function::Excludes => arg.is_excluded_from(field),
            Function::Less => ordered(std::cmp::Ordering::is_lt),
            Function::LessOrEqual => ordered(std::cmp::Ordering::is_le),
            Function::Greater => ordered(std::cmp::Ordering::is_gt),
            Function::GreaterOrEqual => ordered(std::cmp::Ordering::is_ge),
        }
    }
}
