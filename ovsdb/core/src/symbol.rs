//! Names that stand for the UUIDs of rows a transaction inserts: `named-uuid` on the wire, `@name`
//! on ovs-vsctl's command line.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::types::{BaseType, RefType};

/// What is known of one name.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// The UUID that the row gets.
    pub uuid: Uuid,
    /// An insert of the row was seen.
    pub created: bool,
    /// Something refers strongly to the row.
    pub strong_ref: bool,
    /// Something refers weakly to the row.
    pub weak_ref: bool,
}

/// The names of one transaction.
#[derive(Clone, Debug, Default)]
pub struct SymbolTable {
    symbols: BTreeMap<String, Symbol>,
}

impl SymbolTable {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbol called `name`, made with a random UUID when it is new.
    pub fn get_or_insert(&mut self, name: &str) -> &mut Symbol {
        self.symbols.entry(name.to_owned()).or_insert_with(|| Symbol {
            uuid: Uuid::new_v4(),
            created: false,
            strong_ref: false,
            weak_ref: false,
        })
    }

    /// The symbol called `name`.
    pub fn get(&self, name: &str) -> Option<&Symbol> {
        self.symbols.get(name)
    }

    /// Sets what `name` stands for.
    pub fn put(&mut self, name: &str, uuid: Uuid, created: bool) {
        let symbol = Symbol { uuid, created, strong_ref: false, weak_ref: false };
        self.symbols.insert(name.to_owned(), symbol);
    }

    /// The UUID of `name`, noting that a column of type `base` refers to it.
    pub fn refer(&mut self, name: &str, base: &BaseType) -> Uuid {
        let symbol = self.get_or_insert(name);
        match base.ref_type() {
            Some(RefType::Strong) => symbol.strong_ref = true,
            Some(RefType::Weak) => symbol.weak_ref = true,
            None => {}
        }
        symbol.uuid
    }

    /// All symbols, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Symbol)> {
        self.symbols.iter().map(|(name, symbol)| (name.as_str(), symbol))
    }
}
