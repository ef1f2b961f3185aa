//! The rows of the contest: traffic and tables, as data.

/// One row.
pub(crate) struct Row {
    /// Short name for the command line.
    pub(crate) name: &'static str,
    /// What it is, for the table.
    pub(crate) title: &'static str,
    /// Distinct 5-tuples in the traffic.
    pub(crate) flows: u32,
    /// OpenFlow flows, in `ovs-ofctl add-flows` form.
    pub(crate) rules: &'static str,
}

pub(crate) static ROWS: &[Row] = &[
    Row { name: "1", title: "1 flow, 1 rule", flows: 1, rules: "in_port=1,actions=output:2\n" },
    Row {
        name: "1k",
        title: "1,000 flows, 1 rule",
        flows: 1_000,
        rules: "in_port=1,actions=output:2\n",
    },
    Row {
        name: "100k",
        title: "100,000 flows, 1 rule",
        flows: 100_000,
        rules: "in_port=1,actions=output:2\n",
    },
];
