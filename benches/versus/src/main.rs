//! The contest: one PMD thread forwards from an endless capture (`net_pcap`, `infinite_rx=1`) to a
//! sink (`net_null`), in Weir, in OVS-DPDK and in testpmd, in turn on the same CPU. The two switches
//! are driven by the same commands; only the paths of the programs differ.
//!
//! `scripts/versus` builds, installs the peers and runs this.
#![forbid(unsafe_code)]

mod account;
mod acl;
mod config;
mod contest;
mod disturber;
mod drawing;
mod error;
mod explosion;
mod goal;
mod guest;
mod hugepages;
mod json;
mod masks;
mod measure;
mod namespace;
mod openflow;
mod pace;
mod packet;
mod pcap;
mod pin;
mod pipeline;
mod plan;
mod plots;
mod process;
mod programs;
mod progress;
mod random;
mod report;
mod row;
mod running;
mod source;
mod stream;
mod summary;
mod sweep;
mod switch;
mod table;
mod testpmd;
mod traffic;
mod wire;

use std::path::Path;

use crate::error::RunError;
use crate::plan::Plan;
use crate::report::Report;

fn run(plan: &Plan) -> Result<bool, RunError> {
    pin::away_from(plan.cpu)?;
    let _pages = hugepages::Reservation::at_least(1536)?;
    let work = process::WorkDir::new()?;
    if let Some(dir) = &plan.plots {
        return plots::run(plan, &work, dir, Path::new("target/versus/plots.json"));
    }
    let mut report = Report::default();
    let outcome = contest::run(plan, &work, &mut report);
    // What was measured before something failed is worth seeing.
    print!("{report}");
    if plan.quick {
        println!("quick: {}", plan::SHORT);
    }
    json::write(Path::new("target/versus/result.json"), &report)?;
    outcome.map(|()| !report.lost())
}

fn main() -> std::process::ExitCode {
    let plan = plan::plan();
    match namespace::enter().and_then(|()| run(&plan)) {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("versus: packets of Weir's are missing, see the accounts");
            std::process::ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("versus: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}
