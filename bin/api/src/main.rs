//! The process: arguments in, exit code out.

use std::process::ExitCode;

use anyhow::Context as _;

/// A request is made of many small allocations, given back on another thread than they were made on as often as not.
/// `docs/performance.md` says what this allocator is worth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = api::cli::Cli::read();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            // A server that somebody else runs may have a say in it.
            eprintln!("error: {}", api::terminal::visible_lines(&causes.join(": ")));
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
    runtime.block_on(api::run(cli, &api::Plugins::compiled()))
}
