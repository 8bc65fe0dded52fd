//! `cargo xtask coverage`: which lines of each layer the tests run, beside the goals.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::coverage::{self, Instrumented};
use crate::testing::engine::Engine;
use crate::testing::report::Report;
use crate::testing::session::Session;
use crate::ui::Screen;

/// Measure which lines the tests run, by layer, beside the goals
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also list every file, and the lines that no test runs
    #[arg(long)]
    files: bool,
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut report = Report::default();
    let instrumented = Instrumented::prepare()?;
    if let Some(session) = Session::open(&Engine::ALL, &mut instrumented.build(), screen, &mut report)? {
        let excluded = session.excluded(&Engine::ALL);
        let running = Instant::now();
        let ending = instrumented.run(&excluded, &session.environment)?;
        report.step("tests", running.elapsed(), ending);
        drop(session);
        let step = screen.step("reading the profiles");
        let lines = instrumented.lines(&|text| step.note(text))?;
        step.done("");
        print!("{}", coverage::table(&lines, arguments.files));
    }
    screen.line(report.text(begun.elapsed()));
    Ok(report.exit_code())
}
