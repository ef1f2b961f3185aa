//! The unixctl commands of ovs-vswitchd, one file a family.

mod dpctl;
mod dummy;
mod ofproto;
mod pmd;
mod trace;
mod upcall;

use weir_runtime::unixctl::{self, Commands, Outcome};

use crate::switchd::Switchd;

pub(crate) use upcall::usage;

/// All commands.
#[must_use]
pub fn table(with_dummy: bool) -> Commands<Switchd> {
    let mut commands = Commands::new();
    unixctl::register(&mut commands, with_dummy);
    commands.add("exit", "[--cleanup]", 0, 1, |state: &mut Switchd, _| {
        state.exiting = true;
        Outcome::empty()
    });
    dpctl::register(&mut commands);
    ofproto::register(&mut commands);
    pmd::register(&mut commands);
    trace::register(&mut commands);
    upcall::register(&mut commands);
    if with_dummy {
        dummy::register(&mut commands);
    }
    commands
}
