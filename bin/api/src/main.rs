//! The process: arguments in, exit code out.

use std::process::ExitCode;

use anyhow::Context as _;

fn main() -> ExitCode {
    let cli = api::cli::Cli::read();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("error: {}", causes.join(": "));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: api::cli::Cli) -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another crypto provider is installed already"))?;
    // The workers of the server have threads of their own; these drive the connections to the databases.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(api::run(cli))
}
