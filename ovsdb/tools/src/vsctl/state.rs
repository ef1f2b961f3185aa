//! What the commands of one call share beside the database.

use weir_ovsdb::Uuid;

use super::Ctx;
use super::model::Model;
use crate::ctl::{CtlError, ToolState};

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub(super) struct Vsctl {
    /// Bridges and ports, unless a database command has changed something since.
    model: Option<Model>,
    /// Interfaces that were added: ovs-vswitchd's success with them is of interest.
    pub(super) new_ifaces: Vec<Uuid>,
}

impl ToolState for Vsctl {
    fn invalidate(&mut self) {
        self.model = None;
    }
}

/// Gives `run` the bridges and ports. What it does to both the model and the transaction must
/// agree.
pub(super) fn with_model<T>(
    ctx: &mut Ctx<'_>,
    run: impl FnOnce(&mut Ctx<'_>, &mut Model) -> Result<T, CtlError>,
) -> Result<T, CtlError> {
    let mut model = match ctx.state.model.take() {
        Some(model) => model,
        None => Model::new(ctx),
    };
    let root = ctx.root;
    ctx.txn.verify("Open_vSwitch", root, "bridges");
    let result = run(ctx, &mut model);
    ctx.state.model = Some(model);
    result
}
