//! The program of [`testkit::mongodb_bridge`]: `mongodb-bridge OPTIONS.json`, until it is told to stop.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use testkit::mongodb_bridge::{Bridge, BridgeOptions};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the bridge ends");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let file: PathBuf = std::env::args_os().nth(1).ok_or("the file with the options is not named")?.into();
    let options: BridgeOptions = serde_json::from_slice(&std::fs::read(file)?)?;
    let mut stop = signal(SignalKind::terminate())?;
    let served = async {
        Bridge::start(options).await?.serve().await;
        Ok(())
    };
    tokio::select! {
        outcome = served => outcome,
        _ = stop.recv() => Ok(()),
    }
}
