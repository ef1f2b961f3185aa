//! One attempt: all commands on the replica as it is, on one transaction.

use weir_ovsdb::SymbolTable;
use weir_ovsdb::Uuid;
use weir_ovsdb::replica::{Replica, Transaction};

use super::{Context, CtlError, Invocation, Output, Tool, ToolState};

/// What came of it.
#[derive(Debug)]
pub struct Attempt<S> {
    /// The changes, to be committed.
    pub txn: Transaction,
    /// What each command prints.
    pub outputs: Vec<Output>,
    /// Warnings for the log, by module.
    pub warnings: Vec<(&'static str, String)>,
    /// The only row of the tool's main table.
    pub root: Uuid,
    /// What the tool kept beside the database.
    pub state: S,
}

impl<S: ToolState> Attempt<S> {
    /// Runs the commands.
    ///
    /// # Errors
    /// A command does not work, or waits for something.
    pub fn run(
        tool: &Tool<S>,
        replica: &Replica,
        invocations: &[Invocation<S>],
    ) -> Result<Self, CtlError> {
        let mut txn = Transaction::new();
        txn.write_unchanged = true;
        let root = match replica.first(tool.root_table) {
            Some((row, _)) => row,
            None => txn.insert(tool.root_table),
        };
        let mut ctx = Context {
            replica,
            txn,
            symbols: SymbolTable::new(),
            names: tool.names,
            show: tool.show,
            output: Output::default(),
            warnings: Vec::new(),
            module: tool.module,
            root,
            state: S::default(),
        };
        let mut outputs = Vec::new();
        for invocation in invocations {
            (invocation.command.run)(&mut ctx, invocation)?;
            outputs.push(std::mem::take(&mut ctx.output));
        }
        check_symbols(&mut ctx)?;
        let Context { txn, warnings, state, .. } = ctx;
        Ok(Self { txn, outputs, warnings, root, state })
    }
}

/// Every `@name` must stand for a row, and something should refer to it.
fn check_symbols<S>(ctx: &mut Context<'_, S>) -> Result<(), CtlError> {
    for (name, symbol) in ctx.symbols.iter() {
        if !symbol.created {
            return Err(CtlError::fatal(format!(
                "row id \"{name}\" is referenced but never created (e.g. with \"-- --id={name} \
                 create ...\")"
            )));
        }
        if !symbol.strong_ref {
            let how = if symbol.weak_ref {
                "only a weak reference to it was"
            } else {
                "no reference to it was"
            };
            let text = format!(
                "row id \"{name}\" was created but {how} inserted, so it will not actually appear \
                 in the database"
            );
            ctx.warnings.push((ctx.module, text));
        }
    }
    Ok(())
}
