//! The commands that every daemon has: `version`, `list-commands`, `set-options`, `vlog/*`,
//! `coverage/*`, and `time/*` where asked for.

use super::command::{Commands, Outcome};
use crate::clock::{Clock, Msec};
use crate::{coverage, version, vlog};

/// Adds them; `time/*` only if `with_time`, as for `--enable-dummy`.
pub fn register<C: 'static>(commands: &mut Commands<C>, with_time: bool) {
    // The server answers these two itself; they are here to be listed and to check arguments.
    commands.add("list-commands", "", 0, 0, |_, _| Outcome::empty());
    commands.add("set-options", "[--format text|json]", 2, 2, |_, _| Outcome::empty());
    commands.add("version", "", 0, 0, |_, _| Outcome::text(version::version_text()));
    vlog::register(commands);
    coverage::register(commands);
    if with_time {
        register_time(commands);
    }
}

fn register_time<C: 'static>(commands: &mut Commands<C>) {
    commands.add("time/stop", "", 0, 0, |_, _| {
        Clock::process().stop();
        Outcome::empty()
    });
    commands.add_deferred("time/warp", "[large_msecs] msecs", 1, 2, |_, args, reply| {
        let number = |text: Option<&String>| -> Msec {
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let total = number(args.first());
        let step = if args.len() > 1 { number(args.last()) } else { total };
        // The answer is due when the last step is done; an error is due at once.
        let reply = std::sync::Arc::new(std::sync::Mutex::new(Some(reply)));
        let answer = {
            let reply = std::sync::Arc::clone(&reply);
            move |result| {
                let taken = reply.lock().ok().and_then(|mut slot| slot.take());
                if let Some(reply) = taken {
                    reply.send(result);
                }
            }
        };
        let done = answer.clone();
        if let Err(error) =
            Clock::process().warp(total, step, move || done(Outcome::text("warped")))
        {
            answer(Err(error.to_string()));
        }
    });
}
