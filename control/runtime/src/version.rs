//! Which Open vSwitch series Weir is compatible with, and the texts of `--version`.

use crate::program;

/// The Open vSwitch release whose interfaces Weir offers; `ovs_version` in the database.
pub const OVS_VERSION: &str = "3.7.0";

/// Weir's own version.
pub const WEIR_VERSION: &str = env!("CARGO_PKG_VERSION");

/// `ovs-vswitchd (Open vSwitch) 3.7.0`, as daemons log it when they start.
pub fn program_version() -> String {
    format!("{} (Open vSwitch) {OVS_VERSION}", program::name())
}

/// What `PROGRAM --version` and `ovs-appctl version` print, with a final newline.
///
/// The first line is OVS's own, because programs take the number from it. The second names Weir,
/// where OVS names the DPDK it was linked with.
pub fn version_text() -> String {
    format!("{}\nWeir {WEIR_VERSION}\n", program_version())
}

#[cfg(test)]
mod tests {
    #[test]
    fn first_line_is_the_one_that_programs_parse() {
        let text = super::version_text();
        let first = text.lines().next().unwrap();
        assert!(first.ends_with("(Open vSwitch) 3.7.0"), "{first}");
        assert!(text.ends_with('\n'));
    }
}
