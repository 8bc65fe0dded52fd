use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::cli::ServeArgs;
use crate::commands::say;
use crate::config::Config;
use crate::{Application, Plugins, telemetry};

/// Starts the service and serves until a signal says to stop.
pub(super) async fn run(arguments: ServeArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, arguments.listen, &plugins.connectors)?;
    telemetry::init(&config.log)?;
    // Caught before anybody can know that the service is there, so that no early signal ends it the hard way.
    let signals = Signals::catch().context("signals cannot be caught")?;
    let application = Application::build_with(config, plugins).await?;
    greet(&application);
    application.run_until(signals.received()).await?;
    Ok(())
}

fn greet(application: &Application) {
    let (config, address) = (application.config(), application.address());
    say(format_args!("Bindery {} listens at http://{address}", env!("CARGO_PKG_VERSION")));
    if config.server.docs {
        say(format_args!("  documentation  http://{address}/docs and http://{address}/redoc"));
    }
    for (context, name) in config.contexts.iter() {
        let place = config.describe(name);
        say(format_args!("  {context:<13}  connection `{name}`: {place}"));
    }
    let first = application.first_start();
    if let Some(file) = &first.key_file {
        say(format_args!(
            "Stored passwords are sealed with a key made just now in {}: without it they are lost, so keep a copy elsewhere",
            file.display()
        ));
    }
    if let Some((file, token)) = &first.token {
        say(format_args!(
            "Whoever uses /api/v1/connections needs this token, made just now and kept in {}:\n  {}",
            file.display(),
            token.expose_secret()
        ));
    }
}

/// The signals that ask the process to stop. They are caught from the moment the value is made.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Ready when one has come.
    async fn received(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask the process to stop.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Ready when one has come.
    async fn received(self) {
        let _interrupted = tokio::signal::ctrl_c().await;
    }
}
