//! The database commands, which every `*ctl` tool has.

mod change;
mod rows;
mod show;

use super::{Arity, Command, Needs, ToolState};

pub use change::set_column;
pub use show::ShowTable;

const ANY: usize = usize::MAX;

/// The table of the commands.
pub const fn commands<S: ToolState>() -> [Command<S>; 12] {
    const fn arity(min: usize, max: usize) -> Arity {
        Arity { min, max }
    }
    [
        Command {
            name: "comment",
            arity: arity(0, ANY),
            arguments: "*ARG",
            options: "",
            read_only: false,
            needs: Needs::Nothing,
            run: change::comment,
        },
        Command {
            name: "get",
            arity: arity(2, ANY),
            arguments: "!TABLE !RECORD *COLUMN?:KEY",
            options: "--if-exists,--id=",
            read_only: true,
            needs: Needs::Columns { from: 2 },
            run: rows::get,
        },
        Command {
            name: "list",
            arity: arity(1, ANY),
            arguments: "!TABLE *RECORD",
            options: "--if-exists,--columns=",
            read_only: true,
            needs: Needs::ListedColumns,
            run: rows::list,
        },
        Command {
            name: "find",
            arity: arity(1, ANY),
            arguments: "!TABLE *COLUMN?:KEY=VALUE",
            options: "--columns=",
            read_only: true,
            needs: Needs::FoundColumns,
            run: rows::find,
        },
        Command {
            name: "set",
            arity: arity(3, ANY),
            arguments: "!TABLE !RECORD +COLUMN?:KEY=VALUE",
            options: "--if-exists",
            read_only: false,
            needs: Needs::Columns { from: 2 },
            run: change::set,
        },
        Command {
            name: "add",
            arity: arity(4, ANY),
            arguments: "!TABLE !RECORD !COLUMN +?KEY=VALUE",
            options: "--if-exists",
            read_only: false,
            needs: Needs::OneColumn,
            run: change::add,
        },
        Command {
            name: "remove",
            arity: arity(4, ANY),
            arguments: "!TABLE !RECORD !COLUMN +KEY|VALUE|KEY=VALUE",
            options: "--if-exists",
            read_only: false,
            needs: Needs::OneColumn,
            run: change::remove,
        },
        Command {
            name: "clear",
            arity: arity(3, ANY),
            arguments: "!TABLE !RECORD +COLUMN",
            options: "--if-exists",
            read_only: false,
            needs: Needs::Columns { from: 2 },
            run: change::clear,
        },
        Command {
            name: "create",
            arity: arity(2, ANY),
            arguments: "!TABLE +COLUMN?:KEY=VALUE",
            options: "--id=",
            read_only: false,
            needs: Needs::Rows,
            run: change::create,
        },
        Command {
            name: "destroy",
            arity: arity(1, ANY),
            arguments: "!TABLE *RECORD",
            options: "--if-exists,--all",
            read_only: false,
            needs: Needs::Rows,
            run: change::destroy,
        },
        Command {
            name: "wait-until",
            arity: arity(2, ANY),
            arguments: "!TABLE !RECORD *COLUMN?:KEY=VALUE",
            options: "",
            read_only: true,
            needs: Needs::Columns { from: 2 },
            run: rows::wait_until,
        },
        Command {
            name: "show",
            arity: arity(0, 0),
            arguments: "",
            options: "",
            read_only: true,
            needs: Needs::Shown,
            run: show::show,
        },
    ]
}
