//! `cargo xtask test`: every test of the workspace, on every engine.

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::interrupt;
use crate::services::Outcome;
use crate::testing::conformance::Conformance;
use crate::testing::engine::Engine;
use crate::testing::report::{Ending, EngineReport, Report};
use crate::testing::results::TestResult;
use crate::testing::runner::{self, Runner, Selection};
use crate::testing::session::{Session, sqlserver};
use crate::testing::{edge, features, service, tsql};
use crate::ui::Screen;

/// A part of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Unit and integration tests
    Tests,
    /// The examples in the documentation
    Examples,
    /// What `connection-manager` with one engine alone compiles
    Features,
    /// The syntax of every T-SQL text; needs what the tests have rendered
    Tsql,
    /// A real nginx in front of a real instance
    Edge,
    /// Schemathesis against the API, embedded and on a server
    Conformance,
}

/// Run all tests on every engine, providing the servers they need
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Test on these engines alone
    #[arg(long, value_delimiter = ',', value_name = "ENGINE")]
    engines: Vec<Engine>,
    /// What generated cases are made from (`PROPTEST_RNG_SEED`, Schemathesis' `--seed`); `cargo xtask soak` makes others
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Run these parts alone; an engine or a filter means `tests`
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    parts: Vec<Part>,
    /// Run only the tests whose names contain one of these
    filters: Vec<String>,
}

impl Arguments {
    /// The whole run, and not a part of it that a person is interested in just now.
    fn everything(&self) -> bool {
        self.engines.is_empty() && self.filters.is_empty() && self.parts.is_empty()
    }

    fn runs(&self, part: Part) -> bool {
        if self.parts.is_empty() { part == Part::Tests || self.everything() } else { self.parts.contains(&part) }
    }

    fn engines(&self) -> Vec<Engine> {
        if self.engines.is_empty() { Engine::ALL.to_vec() } else { self.engines.clone() }
    }
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut report = Report::default();
    let runner = Runner::find();
    let mut build = if arguments.runs(Part::Tests) { runner.build() } else { service::build(service::API) };
    if let Some(session) = Session::open(&arguments.engines(), &mut build, screen, &mut report)? {
        let mut run = Run { arguments, screen, runner, session: &session, report: &mut report };
        run.parts()?;
        // The servers stop before the summary, so that the summary is the last that a person sees.
        drop(session);
        if arguments.everything() {
            report.require_tests_on(&Engine::PROVIDED);
        } else {
            report.notes.push("only a part of the tests was run, as it was asked for".to_owned());
        }
    }
    interrupt::check()?;
    screen.line(report.text(begun.elapsed()));
    Ok(report.exit_code())
}

struct Run<'a> {
    arguments: &'a Arguments,
    screen: &'a Screen,
    runner: Runner,
    session: &'a Session,
    report: &'a mut Report,
}

impl Run<'_> {
    fn tests(&mut self) -> Result<()> {
        let selection = Selection {
            excluded: self.session.excluded(&self.arguments.engines()),
            filters: self.arguments.filters.clone(),
        };
        let begun = Instant::now();
        let mut environment = self.session.environment.clone();
        environment.push(generated_from(self.arguments.seed));
        let (results, content) = self.runner.run(&selection, &environment)?;
        self.report.step(self.runner.name(), begun.elapsed(), verdict(&results, content));
        for engine in self.arguments.engines() {
            let not_run = self.left_out(engine, &selection)?;
            let server = server(engine, &self.session.outcome);
            self.report.engines.push(EngineReport::new(engine, server, &results, not_run));
        }
        Ok(())
    }

    /// The names of an engine's tests, when the engine was left out.
    fn left_out(&self, engine: Engine, selection: &Selection) -> Result<Vec<String>> {
        if !selection.excluded.contains(&engine) {
            return Ok(Vec::new());
        }
        let mut names = self.runner.list(engine)?;
        let filters = &self.arguments.filters;
        names.retain(|name| filters.is_empty() || filters.iter().any(|part| name.contains(part)));
        Ok(names)
    }

    fn parts(&mut self) -> Result<()> {
        let session = self.session;
        let arguments = self.arguments;
        let runs = |part| arguments.runs(part);
        if runs(Part::Tests) {
            self.tests()?;
        }
        if runs(Part::Examples) {
            let begun = Instant::now();
            let (examples, content) = runner::doc_tests(&session.environment)?;
            self.report.step("examples in documentation", begun.elapsed(), verdict(&examples, content));
        }
        if runs(Part::Features) {
            self.step("features of one engine", |_| features::check())?;
        }
        if runs(Part::Tsql) {
            self.step("T-SQL syntax", |_| tsql::check(&session.python))?;
        }
        if runs(Part::Edge) {
            self.step("nginx in front", |say| edge::check(&session.python, say))?;
        }
        if runs(Part::Conformance) {
            self.conformance()?;
        }
        Ok(())
    }

    /// Embedded and on a server at the same time: most of their time both wait for connections that lead nowhere.
    fn conformance(&mut self) -> Result<()> {
        const EMBEDDED: &str = "API conformance, SQLite";
        const SERVER: &str = "API conformance, server";
        interrupt::check()?;
        let Session { python, outcome, .. } = self.session;
        let screen = self.screen;
        let program = &service::program(service::API)?;
        let conformance = Conformance { python, program, seed: self.arguments.seed };
        let (embedded, server) = thread::scope(|scope| {
            let server = scope.spawn(|| quietly(screen, SERVER, |say| conformance.on_a_server(outcome, say)));
            let embedded = quietly(screen, EMBEDDED, |say| conformance.on_sqlite(say));
            (embedded, server.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        interrupt::check()?;
        for (name, (took, ending)) in [(EMBEDDED, embedded), (SERVER, server)] {
            self.report.step(name, took, ending);
        }
        Ok(())
    }

    /// Runs a step that prints nothing itself.
    fn step(&mut self, name: &str, work: impl FnOnce(&dyn Fn(&str)) -> Result<String>) -> Result<()> {
        interrupt::check()?;
        let (took, ending) = quietly(self.screen, name, work);
        interrupt::check()?;
        self.report.step(name, took, ending);
        Ok(())
    }
}

/// Shows a step that prints nothing itself while it runs; returns how long it took, and how it ended.
fn quietly(screen: &Screen, name: &str, work: impl FnOnce(&dyn Fn(&str)) -> Result<String>) -> (Duration, Ending) {
    let step = screen.step(name);
    match work(&|text| step.note(text)) {
        Ok(text) => (step.done(&text), Ending::Passed(text)),
        Err(error) => {
            let text = format!("{error:#}");
            (step.failed(&text), Ending::Failed(text))
        }
    }
}

/// What the summary says about an engine's server.
fn server(engine: Engine, outcome: &Outcome) -> String {
    match engine.service() {
        Some(service) => match outcome.running.iter().find(|server| server.service == service) {
            Some(server) if server.detail.is_empty() => format!("{} ({})", server.version, server.source),
            Some(server) => format!("{} ({}: {})", server.version, server.source, server.detail),
            None => "missing".to_owned(),
        },
        None => match engine {
            Engine::Sqlite => "embedded".to_owned(),
            Engine::Tds => "scripted, in the tests' own process: SQL Server's protocol and faults".to_owned(),
            _ if sqlserver().is_some() => "given by BINDERY_TEST_SQLSERVER_URL".to_owned(),
            _ => "none: BINDERY_TEST_SQLSERVER_URL names no T-SQL engine".to_owned(),
        },
    }
}

/// The variable that makes property tests generate the same cases at every run.
pub(super) fn generated_from(seed: u64) -> (String, String) {
    ("PROPTEST_RNG_SEED".to_owned(), seed.to_string())
}

/// How a run of tests ended.
pub(super) fn verdict(results: &[TestResult], content: bool) -> Ending {
    let failed = results.iter().filter(|result| !result.passed).count();
    let counts = format!("{} tests, {failed} failed", results.len());
    match (content, failed) {
        (true, 0) => Ending::Passed(counts),
        (false, 0) => Ending::Failed(format!("the runner failed; see above ({counts})")),
        _ => Ending::Failed(counts),
    }
}
