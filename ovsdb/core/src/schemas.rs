//! The schemas that come with Weir.

use std::sync::{Arc, LazyLock};

use crate::schema::Schema;

/// The text of `vswitch.ovsschema`: the database of the switch, `Open_vSwitch` 8.8.0.
pub const VSWITCH_TEXT: &str = include_str!("../schema/vswitch.ovsschema");
/// The text of `local-config.ovsschema`: remotes of an ovsdb-server, `Local_Config` 1.0.0.
pub const LOCAL_CONFIG_TEXT: &str = include_str!("../schema/local-config.ovsschema");
/// The text of `_server.ovsschema`: what a server tells about its databases, `_Server` 1.2.0.
pub const SERVER_TEXT: &str = include_str!("../schema/_server.ovsschema");

/// The `Open_vSwitch` schema.
pub fn vswitch() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| embedded(VSWITCH_TEXT));
    SCHEMA.clone()
}

/// The `Local_Config` schema.
pub fn local_config() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| embedded(LOCAL_CONFIG_TEXT));
    SCHEMA.clone()
}

/// The `_Server` schema.
pub fn server() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| embedded(SERVER_TEXT));
    SCHEMA.clone()
}

#[expect(clippy::panic, reason = "the text is part of the program and a test parses it")]
fn embedded(text: &str) -> Arc<Schema> {
    match Schema::parse(text) {
        Ok(schema) => Arc::new(schema),
        Err(e) => panic!("a schema of this program is broken: {e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cksum::schema_cksum;

    #[test]
    fn checksums_are_those_of_the_files() {
        for (schema, text) in [
            (vswitch(), VSWITCH_TEXT),
            (local_config(), LOCAL_CONFIG_TEXT),
            (server(), SERVER_TEXT),
        ] {
            assert_eq!(*schema.cksum, schema_cksum(text), "{}", schema.name);
            assert_eq!(Schema::from_json(&schema.to_json()).unwrap(), *schema);
        }
    }

    #[test]
    fn the_switch_has_its_tables() {
        let schema = vswitch();
        assert_eq!(*schema.version, *"8.8.0");
        let own: Vec<_> = schema.tables.iter().flat_map(|table| table.own_columns()).collect();
        assert_eq!(schema.tables.len(), 19);
        assert_eq!(own.len(), 190);
        assert_eq!(own.iter().filter(|column| !column.persistent).count(), 31);
        let roots: Vec<&str> =
            schema.tables.iter().filter(|table| table.is_root).map(|table| &*table.name).collect();
        assert_eq!(roots, ["Flow_Sample_Collector_Set", "Open_vSwitch", "QoS", "Queue"]);
    }
}
