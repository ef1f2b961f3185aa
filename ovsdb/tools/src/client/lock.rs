//! `lock`, `steal` and `unlock`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use weir_jsonrpc::{Json, Message};
use weir_runtime::program::Fatal;
use weir_runtime::unixctl::{Commands, Outcome, Reply};

use super::commands::Call;
use super::print;
use super::rpc::Rpc;
use super::service::Service;

/// What the control socket works on.
struct State {
    rpc: Rpc,
    exiting: bool,
    /// Who asked for what, by the id of the request.
    asked: BTreeMap<i64, Reply>,
}

pub(super) fn lock(call: &Call<'_>, rpc: Rpc) -> Result<ExitCode, Fatal> {
    run("lock", call, rpc)
}

pub(super) fn steal(call: &Call<'_>, rpc: Rpc) -> Result<ExitCode, Fatal> {
    run("steal", call, rpc)
}

pub(super) fn unlock(call: &Call<'_>, rpc: Rpc) -> Result<ExitCode, Fatal> {
    run("unlock", call, rpc)
}

fn commands() -> Commands<State> {
    let mut commands = Commands::new();
    for method in ["lock", "steal", "unlock"] {
        commands.add_deferred(method, "LOCK", 1, 1, move |state: &mut State, args, reply| {
            let name = args.first().map_or("", String::as_str);
            let id = state.rpc.request(method, vec![Json::str(name)]);
            if let Some(id) = id.as_int() {
                state.asked.insert(id, reply);
            }
        });
    }
    commands.add("exit", "", 0, 0, |state: &mut State, _| {
        state.exiting = true;
        Outcome::empty()
    });
    commands
}

fn run(method: &str, call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let reactor = rpc.poll_loop().reactor().clone();
    let mut service = Service::start(call, &reactor, commands())?;
    let lock = call.args.first().map_or("", String::as_str);
    let first = rpc.request(method, vec![Json::str(lock)]);
    let mut state = State { rpc, exiting: false, asked: BTreeMap::new() };
    while !state.exiting {
        service.run(&mut state);
        while let Some(message) = state.rpc.next()? {
            match message {
                Message::Reply { result, id } if id == first => {
                    print(&format!("{result}\n"));
                    service.ready()?;
                }
                Message::Error { error, id } if id == first => {
                    return Err(Fatal::new(format!("{method} returned error: {error}")));
                }
                Message::Reply { result: answer, id } | Message::Error { error: answer, id } => {
                    let asked = id.as_int().and_then(|id| state.asked.remove(&id));
                    if let Some(reply) = asked {
                        reply.send(Outcome::text(answer.to_string()));
                    }
                }
                Message::Notification { method, params } => {
                    print(&format!("{method}\n{}\n", Json::array(params)));
                }
                Message::Request { .. } => {}
            }
        }
        if !state.exiting {
            state.rpc.wait()?;
        }
    }
    service.finish(&mut state);
    Ok(ExitCode::SUCCESS)
}
