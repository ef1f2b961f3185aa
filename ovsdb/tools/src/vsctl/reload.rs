//! What follows the transaction: wait until ovs-vswitchd has obeyed, and say what it could not do.

use std::process::ExitCode;

use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Outcome;
use weir_runtime::dirs;
use weir_runtime::program::Fatal;

use super::state::Vsctl;
use crate::ctl::{Database, Settings};

/// EX_DATAERR of sysexits.h: ovs-vswitchd could not set up an interface.
const SETUP_FAILED: u8 = 65;

pub(super) fn after_commit(
    db: &mut Database,
    settings: &Settings,
    state: &Vsctl,
    _root: Uuid,
    outcome: &Outcome,
) -> Result<ExitCode, Fatal> {
    let Outcome::Success { inserted, increment: Some(next_cfg) } = outcome else {
        return Ok(ExitCode::SUCCESS);
    };
    if !settings.wait || settings.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    // Else a server that is restarted meanwhile would leave the caller without an answer.
    db.set_retry();
    loop {
        let obeyed = db.replica().and_then(|r| r.first("Open_vSwitch")?.1.int("cur_cfg"));
        if obeyed.is_some_and(|cur_cfg| cur_cfg >= *next_cfg) {
            break;
        }
        db.next_event()?;
    }
    let Some(replica) = db.replica() else { return Ok(ExitCode::SUCCESS) };
    let mut failed = false;
    for row in state.new_ifaces.iter().filter_map(|i| replica.row("Interface", *inserted.get(i)?)) {
        if row.int("ofport").is_some_and(|ofport| ofport != -1) {
            continue;
        }
        let name = row.str("name").unwrap_or_default();
        let reason = row.str("error").map(|e| format!(": {e}")).unwrap_or_default();
        let text = format!("Error detected while setting up '{name}'{reason}.");
        Fatal::new(format!("{text}  See ovs-vswitchd log for details.")).print();
        failed = true;
    }
    if !failed {
        return Ok(ExitCode::SUCCESS);
    }
    let logs = dirs::logdir();
    Fatal::new(format!("The default log directory is \"{}\".", logs.display())).print();
    Ok(ExitCode::from(SETUP_FAILED))
}
