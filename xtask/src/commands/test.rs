//! `cargo xtask test`: every test of the workspace, on every engine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::python::Python;
use crate::services::{self, Outcome, Service};
use crate::testing::engine::Engine;
use crate::testing::report::{Ending, EngineReport, Report, StepReport};
use crate::testing::results::TestResult;
use crate::testing::runner::{self, Runner, Selection};
use crate::testing::{edge, features, service, tsql};
use crate::ui::Screen;
use crate::{interrupt, settings};

/// Run all tests on every engine, providing the servers they need
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Test on these engines alone
    #[arg(long, value_delimiter = ',', value_name = "ENGINE")]
    engines: Vec<Engine>,
    /// Run only the tests whose names contain one of these
    filters: Vec<String>,
}

impl Arguments {
    /// The whole run, and not a part of it that a person is interested in just now.
    fn everything(&self) -> bool {
        self.engines.is_empty() && self.filters.is_empty()
    }

    fn engines(&self) -> Vec<Engine> {
        if self.engines.is_empty() { Engine::ALL.to_vec() } else { self.engines.clone() }
    }
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut run = Run { arguments, screen, report: Report::default(), started: Started(Vec::new(), screen.clone()) };
    let result = run.everything();
    let Run { mut report, started, .. } = run;
    // Before the summary, so that the summary is the last that a person sees; on an error or a panic as well.
    drop(started);
    result?;
    interrupt::check()?;
    if arguments.everything() {
        report.require_tests_on(&[Engine::Mysql, Engine::Mariadb, Engine::Postgres, Engine::Sqlite, Engine::Tds]);
    }
    screen.line(report.text(begun.elapsed()));
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The servers that this run has started and stops when it ends, however that comes about.
struct Started(Vec<Service>, Screen);

impl Drop for Started {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        if let Err(error) = services::down(&self.0, &self.1) {
            self.1.line(format_args!("✗ {error:#}"));
        }
    }
}

struct Run<'a> {
    arguments: &'a Arguments,
    screen: &'a Screen,
    report: Report,
    started: Started,
}

impl Run<'_> {
    fn everything(&mut self) -> Result<()> {
        let runner = Runner::find();
        let Some((outcome, python)) = self.provide(runner)? else {
            return Ok(());
        };
        let mut selection = Selection { excluded: self.excluded(&outcome), filters: self.arguments.filters.clone() };
        selection.excluded.sort_unstable();
        let mut environment = outcome.environment();
        environment.push(("BINDERY_TEST_PYTHON".to_owned(), python.interpreter().display().to_string()));
        let dump = tsql::dump_folder();
        std::fs::remove_dir_all(&dump).ok();
        std::fs::create_dir_all(&dump)?;
        environment.push(("BINDERY_TSQL_DUMP".to_owned(), dump.display().to_string()));

        let results = self.tests(runner, &selection, &environment)?;
        self.count(runner, &outcome, &selection, &results)?;
        if self.arguments.everything() {
            let begun = Instant::now();
            let (examples, content) = runner::doc_tests(&environment)?;
            self.finish("examples in documentation", begun.elapsed(), verdict(&examples, content));
            self.step("features of one engine", |_| features::check())?;
            self.step("T-SQL syntax", |_| tsql::check(&python))?;
            let program = service::program()?;
            self.step("nginx in front", |say| edge::check(&python, &program, say))?;
        } else {
            self.report.notes.push(
                "a part of the run: examples in documentation, feature and syntax checks and API conformance were left out"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Starts the servers and prepares Python while the tests compile. `None` when the tests do not compile.
    fn provide(&mut self, runner: Runner) -> Result<Option<(Outcome, Python)>> {
        let wanted: Vec<Service> = self.arguments.engines().iter().filter_map(|engine| engine.service()).collect();
        let begun = Instant::now();
        let screen = self.screen;
        let (services, python, build) = std::thread::scope(|scope| {
            let services = scope.spawn(|| {
                let begun = Instant::now();
                (services::up(&wanted, None, screen), begun.elapsed())
            });
            let python = scope.spawn(|| {
                let step = screen.step("Python environment");
                let begun = Instant::now();
                let python = Python::provide(&|text| step.note(text));
                match &python {
                    Ok(_) => step.done(""),
                    Err(error) => step.failed(format_args!("{error:#}")),
                };
                (python, begun.elapsed())
            });
            let build = crate::process::run(&mut runner.build());
            (services.join(), python.join(), build)
        });
        let compiling_took = begun.elapsed();
        // First of all, so that they are stopped whatever else went wrong.
        let (services, services_took) = services.map_err(|_| anyhow::anyhow!("the thread for services panicked"))?;
        let outcome = services?;
        self.started.0.clone_from(&outcome.started);
        let (python, python_took) = python.map_err(|_| anyhow::anyhow!("the thread for Python panicked"))?;

        let build = build?;
        let ending = if outcome.missing.is_empty() {
            Ending::Passed(format!("{} answer", outcome.running.len()))
        } else {
            let names: Vec<String> = outcome.missing.iter().map(|(service, why)| format!("{service}: {why}")).collect();
            let text = format!("missing: {}", names.join("\n"));
            if settings::continuous_integration() { Ending::Failed(text) } else { Ending::NotRun(text) }
        };
        self.finish("services", services_took, ending);
        let python = match python {
            Ok(python) => {
                self.finish("Python environment", python_took, Ending::Passed("ready".to_owned()));
                python
            }
            Err(error) => {
                self.finish("Python environment", python_took, Ending::Failed(format!("{error:#}")));
                return Ok(None);
            }
        };
        if !build.success() {
            self.finish("compiling the tests", compiling_took, Ending::Failed("see above".to_owned()));
            return Ok(None);
        }
        self.finish("compiling the tests", compiling_took, Ending::Passed(String::new()));
        Ok(Some((outcome, python)))
    }

    /// Engines that nobody asked for, and those without a server.
    fn excluded(&self, outcome: &Outcome) -> Vec<Engine> {
        let asked = self.arguments.engines();
        Engine::ALL
            .into_iter()
            .filter(|engine| {
                let missing = outcome.missing.iter().any(|(service, _)| engine.service() == Some(*service));
                !asked.contains(engine) || missing || (*engine == Engine::Sqlserver && sqlserver().is_none())
            })
            .collect()
    }

    fn tests(
        &mut self,
        runner: Runner,
        selection: &Selection,
        environment: &[(String, String)],
    ) -> Result<Vec<TestResult>> {
        let begun = Instant::now();
        let (results, content) = runner.run(selection, environment)?;
        self.finish(runner.name(), begun.elapsed(), verdict(&results, content));
        Ok(results)
    }

    /// Fills in the table of engines; what was left out is named.
    fn count(
        &mut self,
        runner: Runner,
        outcome: &Outcome,
        selection: &Selection,
        results: &[TestResult],
    ) -> Result<()> {
        for engine in self.arguments.engines() {
            let not_run = if selection.excluded.contains(&engine) {
                let mut names = runner.list(engine)?;
                names.retain(|name| {
                    self.arguments.filters.is_empty() || self.arguments.filters.iter().any(|part| name.contains(part))
                });
                names
            } else {
                Vec::new()
            };
            self.report.engines.push(EngineReport::new(engine, server(engine, outcome), results, not_run));
        }
        Ok(())
    }

    /// Runs a step that prints nothing itself.
    fn step(&mut self, name: &str, work: impl FnOnce(&dyn Fn(&str)) -> Result<String>) -> Result<()> {
        interrupt::check()?;
        let step = self.screen.step(name);
        let begun = Instant::now();
        let result = work(&|text| step.note(text));
        interrupt::check()?;
        let ending = match result {
            Ok(text) => {
                step.done(&text);
                Ending::Passed(text)
            }
            Err(error) => {
                let text = format!("{error:#}");
                step.failed(&text);
                Ending::Failed(text)
            }
        };
        self.finish(name, begun.elapsed(), ending);
        Ok(())
    }

    fn finish(&mut self, name: &str, took: Duration, ending: Ending) {
        self.report.steps.push(StepReport { name: name.to_owned(), took, ending });
    }
}

/// The real T-SQL engine that the person named.
fn sqlserver() -> Option<String> {
    settings::variable("BINDERY_TEST_SQLSERVER_URL")
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

fn verdict(results: &[TestResult], content: bool) -> Ending {
    let failed = results.iter().filter(|result| !result.passed).count();
    let counts = format!("{} tests, {failed} failed", results.len());
    match (content, failed) {
        (true, 0) => Ending::Passed(counts),
        (false, 0) => Ending::Failed(format!("the runner failed; see above ({counts})")),
        _ => Ending::Failed(counts),
    }
}
