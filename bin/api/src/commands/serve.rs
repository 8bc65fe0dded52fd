use crate::cli::ServeArgs;
use crate::commands::say;
use crate::config::Config;
use crate::{Application, telemetry};

/// Starts the service and serves until a signal says to stop.
pub(super) async fn run(arguments: ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, arguments.listen)?;
    telemetry::init(&config.log)?;
    let application = Application::build(config).await?;
    greet(&application);
    application.run_until(signal()).await?;
    Ok(())
}

fn greet(application: &Application) {
    let (config, address) = (application.config(), application.address());
    say(format_args!("Bindery {} listens at http://{address}", env!("CARGO_PKG_VERSION")));
    if config.server.docs {
        say(format_args!("  documentation  http://{address}/docs and http://{address}/redoc"));
    }
    for (context, name) in config.contexts.iter() {
        let place = config.connections.get(name).map(crate::config::describe).unwrap_or_default();
        say(format_args!("  {context:<13}  connection `{name}`: {place}"));
    }
}

/// Ready when the process is asked to stop.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signals) => {
                    signals.recv().await;
                }
                // Without the handler the signal ends the process at once, as it does by default.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    let _interrupted = tokio::signal::ctrl_c().await;
}
