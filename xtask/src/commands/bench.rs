//! `cargo xtask bench`: the benchmarks, with the servers they need.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::process;
use crate::testing::engine::Engine;
use crate::testing::report::{Ending, Report};
use crate::testing::runner::{SCOPE, cargo};
use crate::testing::session::Session;
use crate::ui::Screen;

/// Run the benchmarks, providing the servers they need
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The packages whose benchmarks are run; all when none is named
    #[arg(long = "package", short = 'p', value_name = "NAME")]
    packages: Vec<String>,
    /// The benchmarks that are run, such as `faults`; all when none is named
    benchmarks: Vec<String>,
    /// Handed on to the benchmarks, such as a part of their names
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut report = Report::default();
    // By name: `--benches` would also build every library's unit tests, optimised, to run none of them.
    let mut bench = cargo(&["bench"]);
    if arguments.benchmarks.is_empty() {
        bench.args(["--bench", "*"]);
    }
    for benchmark in &arguments.benchmarks {
        bench.args(["--bench", benchmark]);
    }
    if arguments.packages.is_empty() {
        bench.args(SCOPE);
    }
    for package in &arguments.packages {
        bench.args(["--package", package]);
    }
    let mut build = cargo(&[]);
    build.args(bench.get_args()).arg("--no-run");
    if let Some(session) = Session::open(&Engine::ALL, &mut build, screen, &mut report)? {
        bench.envs(session.environment.iter().cloned());
        if !arguments.rest.is_empty() {
            bench.arg("--").args(&arguments.rest);
        }
        let running = Instant::now();
        let status = process::run(&mut bench)?;
        let ending = if status.success() {
            Ending::Passed(String::new())
        } else {
            Ending::Failed(format!("cargo bench ended with {status}"))
        };
        report.step("benchmarks", running.elapsed(), ending);
    }
    screen.line(report.text(begun.elapsed()));
    Ok(report.exit_code())
}
