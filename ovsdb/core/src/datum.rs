//! The value of a column: a set of atoms, or a map from atoms to atoms. A scalar is a set of one.
//! Keys are unique and sorted.

use std::borrow::Cow;
use std::collections::BTreeMap;

use weir_jsonrpc::{Json, array};

use crate::atom::{Atom, unwrap};
use crate::error::{OvsdbError, Result, tag};
use crate::symbol::SymbolTable;
use crate::types::{BaseType, ColumnType, UNLIMITED};

/// The value of a column. Compares first by size, then by keys, then by values, as OVS does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Datum {
    keys: Vec<Atom>,
    /// As long as `keys` in a map, else empty.
    values: Vec<Atom>,
}

impl PartialOrd for Datum {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Datum {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.keys.len().cmp(&other.keys.len()))
            .then_with(|| self.keys.cmp(&other.keys))
            .then_with(|| self.values.cmp(&other.values))
    }
}

impl Datum {
    /// The empty set, which is also the empty map.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The default value of a column of type `type_` (RFC 7047 section 5.2.1).
    pub fn default_of(type_: &ColumnType) -> Self {
        let n = type_.min as usize;
        let atoms = |base: &BaseType| vec![Atom::default_of(base.atomic); n];
        Self {
            keys: atoms(&type_.key),
            values: type_.value.as_ref().map(atoms).unwrap_or_default(),
        }
    }

    /// One atom.
    pub fn scalar(atom: impl Into<Atom>) -> Self {
        Self { keys: vec![atom.into()], values: Vec::new() }
    }

    /// A set; what occurs twice is kept once.
    pub fn set<A: Into<Atom>>(atoms: impl IntoIterator<Item = A>) -> Self {
        let mut keys: Vec<Atom> = atoms.into_iter().map(Into::into).collect();
        keys.sort();
        keys.dedup();
        Self { keys, values: Vec::new() }
    }

    /// A map; of pairs with the same key the last is kept.
    pub fn map<K: Into<Atom>, V: Into<Atom>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs: BTreeMap<Atom, Atom> =
            pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let (keys, values) = pairs.into_iter().unzip();
        Self { keys, values }
    }

    /// A set or map from atoms in any order, `values` empty for a set.
    ///
    /// # Errors
    /// The same key twice.
    pub fn from_atoms(keys: Vec<Atom>, values: Vec<Atom>) -> Result<Self> {
        if values.is_empty() {
            let mut keys = keys;
            keys.sort();
            return match has_repeats(&keys) {
                true => Err(OvsdbError::new(tag::OVSDB, "set contains duplicate")),
                false => Ok(Self { keys, values }),
            };
        }
        let mut pairs: Vec<(Atom, Atom)> = keys.into_iter().zip(values).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let (keys, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        match has_repeats(&keys) {
            true => Err(OvsdbError::new(tag::OVSDB, "map contains duplicate key")),
            false => Ok(Self { keys, values }),
        }
    }

    /// The number of elements or pairs.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// No elements?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The elements of a set, or the keys of a map, in order.
    pub fn keys(&self) -> &[Atom] {
        &self.keys
    }

    /// The values of a map, in the order of their keys; empty for a set.
    pub fn values(&self) -> &[Atom] {
        &self.values
    }

    /// The pairs of a map.
    pub fn pairs(&self) -> impl Iterator<Item = (&Atom, &Atom)> {
        self.keys.iter().zip(&self.values)
    }

    /// The only element, if there is exactly one.
    pub fn single(&self) -> Option<&Atom> {
        match self.keys.as_slice() {
            [atom] => Some(atom),
            _ => None,
        }
    }

    /// Where `key` is.
    pub fn find(&self, key: &Atom) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }

    /// Is `key` an element, or a key of the map?
    pub fn contains_key(&self, key: &Atom) -> bool {
        self.find(key).is_some()
    }

    /// The value of `key` in a map.
    pub fn get(&self, key: &Atom) -> Option<&Atom> {
        self.values.get(self.find(key)?)
    }

    /// The value of the string `key` in a map of strings.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        let at = self.keys.binary_search_by(|k| k.as_str().unwrap_or_default().cmp(key)).ok()?;
        self.values.get(at)?.as_str()
    }

    /// The default value of its type?
    pub fn is_default(&self, type_: &ColumnType) -> bool {
        self.keys.len() == type_.min as usize
            && self.keys.iter().chain(&self.values).all(Atom::is_default)
    }

    /// A number of elements that `type_` allows?
    pub fn conforms_to(&self, type_: &ColumnType) -> bool {
        (type_.min as usize..=type_.max as usize).contains(&self.keys.len())
    }

    /// Checks each atom against the constraints of `type_`.
    ///
    /// # Errors
    /// A constraint violation.
    pub fn check(&self, type_: &ColumnType) -> Result<()> {
        self.keys.iter().try_for_each(|key| type_.key.check(key))?;
        match &type_.value {
            Some(base) => self.values.iter().try_for_each(|value| base.check(value)),
            None => Ok(()),
        }
    }

    /// Reads a `<value>` of type `type_`. With `symbols`, `named-uuid` is understood.
    ///
    /// # Errors
    /// A syntax error, a constraint violation or a duplicate.
    pub fn from_json(
        type_: &ColumnType,
        json: &Json,
        mut symbols: Option<&mut SymbolTable>,
    ) -> Result<Self> {
        let class = if type_.is_map() { "map" } else { "set" };
        let is_set_form = json.at(0).and_then(Json::as_str) == Some("set");
        if !type_.is_map() && !is_set_form {
            return Ok(Self::scalar(Atom::from_json(&type_.key, json, symbols)?));
        }
        let elements = unwrap(json, class)
            .and_then(Json::as_array)
            .ok_or_else(|| OvsdbError::syntax(json, format!("expected [\"{class}\", <array>]")))?;
        let n = elements.len();
        if n < type_.min as usize || n > type_.max as usize {
            let wanted = match (type_.min, type_.max) {
                (1, 1) => "exactly one member".to_owned(),
                (min, max) => format!("{min} to {max} members"),
            };
            let text = format!("{class} must have {wanted} but {n} are present");
            return Err(OvsdbError::syntax(json, text));
        }
        let mut keys = Vec::with_capacity(n);
        let mut values = Vec::new();
        for element in elements {
            match &type_.value {
                None => keys.push(Atom::from_json(&type_.key, element, symbols.as_deref_mut())?),
                Some(base) => {
                    let Some([key, value]) = element.as_array() else {
                        return Err(OvsdbError::syntax(element, "expected 2-element array"));
                    };
                    keys.push(Atom::from_json(&type_.key, key, symbols.as_deref_mut())?);
                    values.push(Atom::from_json(base, value, symbols.as_deref_mut())?);
                }
            }
        }
        Self::from_atoms(keys, values)
    }

    /// Like [`Datum::from_json`], but any number of elements is right (for differences).
    ///
    /// # Errors
    /// A syntax error, a constraint violation or a duplicate.
    pub fn from_json_any_size(type_: &ColumnType, json: &Json) -> Result<Self> {
        Self::from_json(&relaxed(type_), json, None)
    }

    /// Like [`Datum::from_json`], without any constraint.
    ///
    /// # Errors
    /// A syntax error or a duplicate.
    pub fn from_json_unconstrained(type_: &ColumnType, json: &Json) -> Result<Self> {
        let type_ = ColumnType {
            key: BaseType::new(type_.key.atomic),
            value: type_.value.as_ref().map(|value| BaseType::new(value.atomic)),
            min: 0,
            max: UNLIMITED,
        };
        Self::from_json(&type_, json, None)
    }

    /// The `<value>`.
    pub fn to_json(&self, type_: &ColumnType) -> Json {
        if type_.is_map() {
            let pairs = self.pairs().map(|(k, v)| array![k.to_json(), v.to_json()]).collect();
            array!["map", Json::Array(pairs)]
        } else if let Some(atom) = self.single() {
            atom.to_json()
        } else {
            array!["set", Json::Array(self.keys.iter().map(Atom::to_json).collect())]
        }
    }

    /// Every element of `self` is in `other`; with `self` a map, every pair.
    pub fn is_included_in(&self, other: &Self) -> bool {
        self.keys.len() <= other.keys.len() && (0..self.len()).all(|i| self.element_in(i, other))
    }

    /// No element (or pair) of `self` is in `other`.
    pub fn is_excluded_from(&self, other: &Self) -> bool {
        !(0..self.len()).any(|i| self.element_in(i, other))
    }

    fn element_in(&self, i: usize, other: &Self) -> bool {
        self.keys.get(i).and_then(|key| other.find(key)).is_some_and(|at| {
            self.values.get(i).is_none_or(|value| other.values.get(at) == Some(value))
        })
    }

    /// Adds what `other` has and `self` has not; of a key in both, `self`'s value stays.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.merge(other, |_, ours, _| Some(ours.cloned()))
    }

    /// Removes the elements of `other`: pairs if `other` has values, else keys.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let keep = |i: &usize| !self.matches(*i, other);
        let kept: Vec<usize> = (0..self.len()).filter(keep).collect();
        let pick = |atoms: &[Atom]| kept.iter().filter_map(|&i| atoms.get(i).cloned()).collect();
        Self { keys: pick(&self.keys), values: pick(&self.values) }
    }

    /// Is element `i` named by `other`, by key if `other` has no values?
    fn matches(&self, i: usize, other: &Self) -> bool {
        self.keys.get(i).and_then(|key| other.find(key)).is_some_and(|at| {
            other.values.get(at).is_none_or(|value| self.values.get(i) == Some(value))
        })
    }

    /// Element `index` removed.
    pub(crate) fn remove(&mut self, index: usize) {
        if index < self.keys.len() {
            self.keys.remove(index);
        }
        if index < self.values.len() {
            self.values.remove(index);
        }
    }

    /// What turns `old` into `self`: of a column with at most one element the new value, else the
    /// elements that only one of them has and the pairs whose value changed (ovsdb-server(7)
    /// section 4.1.14).
    pub fn diff_from<'a>(&'a self, old: &Self, type_: &ColumnType) -> Cow<'a, Self> {
        if !type_.is_composite() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(old.merge(self, |_, old, new| (old != new).then(|| new.cloned())))
    }

    /// Undoes [`Datum::diff_from`]: the new value from the old one and the difference.
    #[must_use]
    pub fn apply_diff(&self, diff: &Self, type_: &ColumnType) -> Self {
        if !type_.is_composite() {
            return diff.clone();
        }
        self.merge(diff, |is_map, old, new| (is_map && old != new).then(|| new.cloned()))
    }

    /// Merges by key. Keys on one side only are taken over; `both` decides on the others: `None`
    /// drops the key, `Some(value)` keeps it.
    fn merge(
        &self,
        other: &Self,
        both: impl Fn(bool, Option<&Atom>, Option<&Atom>) -> Option<Option<Atom>>,
    ) -> Self {
        let is_map = !self.values.is_empty() || !other.values.is_empty();
        let mut keys = Vec::with_capacity(self.len() + other.len());
        let mut values = Vec::new();
        let mut take = |key: &Atom, value: Option<Atom>| {
            keys.push(key.clone());
            values.extend(value);
        };
        let (mut i, mut j) = (0, 0);
        loop {
            let (a, b) = (self.keys.get(i), other.keys.get(j));
            let order = match (a, b) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.cmp(b),
            };
            match (order, a, b) {
                (std::cmp::Ordering::Less, Some(a), _) => {
                    take(a, self.values.get(i).cloned());
                    i += 1;
                }
                (std::cmp::Ordering::Greater, _, Some(b)) => {
                    take(b, other.values.get(j).cloned());
                    j += 1;
                }
                (_, Some(a), _) => {
                    if let Some(value) = both(is_map, self.values.get(i), other.values.get(j)) {
                        take(a, value);
                    }
                    i += 1;
                    j += 1;
                }
                _ => break,
            }
        }
        Self { keys, values }
    }

    /// Changes every element by `f`, then restores the order.
    ///
    /// # Errors
    /// What `f` returned, or that two elements became equal.
    pub(crate) fn try_map_keys(&self, f: impl Fn(&Atom) -> Result<Atom>) -> Result<Self> {
        let keys = self.keys.iter().map(f).collect::<Result<Vec<_>>>()?;
        Self::from_atoms(keys, self.values.clone())
    }
}

fn has_repeats(sorted: &[Atom]) -> bool {
    sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// `type_` with any number of elements.
fn relaxed(type_: &ColumnType) -> ColumnType {
    ColumnType { min: 0, max: UNLIMITED, ..type_.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AtomicType;
    use proptest::prelude::*;

    fn type_(text: &str) -> ColumnType {
        ColumnType::from_json(&Json::parse_value(text).unwrap()).unwrap()
    }

    fn parse(type_text: &str, text: &str) -> std::result::Result<String, String> {
        let type_ = type_(type_text);
        Datum::from_json(&type_, &Json::parse_value(text).unwrap(), None)
            .map(|datum| datum.to_json(&type_).to_string())
            .map_err(|e| e.to_json().to_string())
    }

    #[test]
    fn wire_form() {
        let ints = r#"{"key":"integer","min":0,"max":3}"#;
        let map = r#"{"key":"string","value":"integer","min":0,"max":"unlimited"}"#;
        for (type_, text, printed) in [
            (ints, "5", "5"),
            (ints, r#"["set",[3,1]]"#, r#"["set",[1,3]]"#),
            (ints, r#"["set",[3]]"#, "3"),
            (map, r#"["map",[["b",1],["a",2]]]"#, r#"["map",[["a",2],["b",1]]]"#),
            (r#""real""#, "3", "3"),
        ] {
            assert_eq!(parse(type_, text), Ok(printed.to_owned()));
        }
        // As Debian's ovsdb-server 3.1 answers.
        for (type_, text, error) in [
            (
                ints,
                r#"["set",[1,2,3,4]]"#,
                r#"{"details":"set must have 0 to 3 members but 4 are present","error":"syntax error","syntax":"[\"set\",[1,2,3,4]]"}"#,
            ),
            (
                r#""integer""#,
                r#"["set",[]]"#,
                r#"{"details":"set must have exactly one member but 0 are present","error":"syntax error","syntax":"[\"set\",[]]"}"#,
            ),
            (
                ints,
                r#"["set",[1,1]]"#,
                r#"{"details":"set contains duplicate","error":"ovsdb error"}"#,
            ),
            (
                map,
                r#"["map",[["a",1],["a",2]]]"#,
                r#"{"details":"map contains duplicate key","error":"ovsdb error"}"#,
            ),
            (
                map,
                r#"["map",[1]]"#,
                r#"{"details":"expected 2-element array","error":"syntax error","syntax":"1"}"#,
            ),
            (
                map,
                "5",
                r#"{"details":"expected [\"map\", <array>]","error":"syntax error","syntax":"5"}"#,
            ),
        ] {
            assert_eq!(parse(type_, text), Err(error.to_owned()));
        }
    }

    #[test]
    fn set_algebra() {
        let a = Datum::map([("a", "1"), ("b", "2")]);
        let b = Datum::map([("b", "3"), ("c", "4")]);
        assert_eq!(a.union(&b), Datum::map([("a", "1"), ("b", "2"), ("c", "4")]));
        assert_eq!(a.subtract(&b), a);
        assert_eq!(a.subtract(&Datum::set(["b", "c"])), Datum::map([("a", "1")]));
        assert!(Datum::set([1, 2].map(i64::from)).is_included_in(&Datum::set([1i64, 2, 3])));
        assert!(b.is_excluded_from(&a));
    }

    proptest! {
        #[test]
        fn set_diff_round_trips(a in proptest::collection::vec(0i64..9, 0..6),
                                b in proptest::collection::vec(0i64..9, 0..6)) {
            let type_ = ColumnType { min: 0, max: UNLIMITED, ..ColumnType::scalar(AtomicType::Integer) };
            let (a, b) = (Datum::set(a), Datum::set(b));
            let diff = b.diff_from(&a, &type_).into_owned();
            prop_assert_eq!(a.apply_diff(&diff, &type_), b);
        }

        #[test]
        fn map_diff_round_trips(a in proptest::collection::vec((0i64..9, 0i64..3), 0..6),
                                b in proptest::collection::vec((0i64..9, 0i64..3), 0..6)) {
            let type_ = ColumnType {
                value: Some(BaseType::new(AtomicType::Integer)),
                min: 0,
                max: UNLIMITED,
                ..ColumnType::scalar(AtomicType::Integer)
            };
            let (a, b) = (Datum::map(a), Datum::map(b));
            let diff = b.diff_from(&a, &type_).into_owned();
            prop_assert_eq!(a.apply_diff(&diff, &type_), b);
        }
    }
}
