//! The options of logging, which every program has.

use std::path::Path;

use super::vlog;
use crate::argv::{Given, Opt};
use crate::program::Fatal;
use crate::{dirs, program};

/// `-v[SPEC] --verbose[=SPEC] --log-file[=FILE] --syslog-method=METHOD --syslog-target=HOST:PORT`
pub const OPTIONS: &[Opt] = &[
    Opt::optional("verbose").short('v'),
    Opt::optional("log-file"),
    Opt::required("syslog-method"),
    Opt::required("syslog-target"),
];

/// Obeys one option of [`OPTIONS`]. False if it is another's.
///
/// # Errors
/// The value is wrong.
pub fn handle_option(given: &Given) -> Result<bool, Fatal> {
    match given.id {
        "verbose" => super::set_from_spec(given.text())
            .map_err(|error| Fatal::new(format!("processing \"{}\": {error}", given.text())))?,
        "log-file" => super::open_log_file_at_start(given.value.as_deref().map(Path::new)),
        "syslog-method" => {
            let result = vlog().outputs.set_syslog_method(given.text());
            result.map_err(|error| Fatal::new(error.to_string()))?;
            vlog().publish_max_level();
        }
        "syslog-target" => {
            if let Err(error) = vlog().outputs.set_syslog_target(given.text()) {
                log::error!(target: "socket_util", "{error}");
            }
            vlog().publish_max_level();
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// What `--help` says about [`OPTIONS`].
pub fn usage() -> String {
    format!(
        "\n\
Logging options:
  -vSPEC, --verbose=SPEC   set logging levels
  -v, --verbose            set maximum verbosity level
  --log-file[=FILE]        enable logging to specified FILE
                           (default: {}/{}.log)
  --syslog-method=(libc|unix:file|udp:ip:port)
                           specify how to send messages to syslog daemon
  --syslog-target=HOST:PORT  also send syslog msgs to HOST:PORT via UDP
",
        dirs::logdir().display(),
        program::name()
    )
}
