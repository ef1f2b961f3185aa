//! A network namespace of the contest's own: no packet of it meets the machine's interfaces, and none
//! of theirs is counted.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::error::{RunError, Step as _};

/// Set where this program runs in its namespace already.
const MARK: &str = "VERSUS_NAMESPACE";
/// What is switched off there: interfaces would announce themselves, and their packets be counted.
const OFF: &[&str] = &["all", "default"];

/// Starts this program again in a namespace of its own, with the same arguments and process number;
/// returns there.
pub(crate) fn enter() -> Result<(), RunError> {
    if env::var_os(MARK).is_none() {
        let program = env::current_exe().step("finding this program")?;
        let mut again = Command::new("unshare");
        again.args(["--net", "--"]).arg(program).args(env::args_os().skip(1)).env(MARK, "1");
        return Err(again.exec()).step("running unshare");
    }
    for which in OFF {
        // A kernel without IPv6 has no such file, and nothing to switch off.
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
    }
    Ok(())
}
