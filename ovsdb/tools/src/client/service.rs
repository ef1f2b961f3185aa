//! What the commands that stay share: signals, the control socket, detaching.

use weir_runtime::daemon::Daemon;
use weir_runtime::exit;
use weir_runtime::program::Fatal;
use weir_runtime::reactor::Reactor;
use weir_runtime::signals::Signals;
use weir_runtime::unixctl::{self, Commands};

use super::commands::Call;

/// See the [module documentation](self). `S` is what the commands of the control socket work on.
pub(super) struct Service<S> {
    daemon: Option<Daemon>,
    signals: Signals,
    control: Option<unixctl::Server<S>>,
}

impl<S: 'static> Service<S> {
    /// Opens the control socket, if the program becomes a daemon or the socket was asked for.
    pub(super) fn start(
        call: &Call<'_>,
        reactor: &Reactor,
        mut commands: Commands<S>,
    ) -> Result<Self, Fatal> {
        let settings = &call.settings;
        let signals = Signals::new(reactor, false)
            .map_err(|error| Fatal::os(&error, "could not create the main loop"))?;
        let control = if settings.daemon.detach || settings.unixctl.is_some() {
            unixctl::register(&mut commands, false);
            let path = settings.unixctl.as_deref();
            Some(unixctl::Server::open(path, commands, reactor)?)
        } else {
            None
        };
        Ok(Self { daemon: call.daemon.take(), signals, control })
    }

    /// The first answer was printed: whoever started a daemon may go on.
    pub(super) fn ready(&mut self) -> Result<(), Fatal> {
        match self.daemon.as_mut() {
            Some(daemon) => daemon.complete(),
            None => Ok(()),
        }
    }

    /// Obeys signals and the control socket.
    pub(super) fn run(&mut self, state: &mut S) {
        self.signals.run();
        if let Some(control) = &mut self.control {
            control.run(state);
        }
    }

    /// Sends the last answers and cleans up.
    pub(super) fn finish(mut self, state: &mut S) {
        self.run(state);
        drop(self.control);
        exit::run_hooks();
    }
}
