//! What every command that runs tests or benchmarks needs: servers, Python, the environment that tells of both.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::engine::Engine;
use super::report::{Ending, Report};
use super::tsql;
use crate::python::Python;
use crate::services::{self, Outcome, Service};
use crate::ui::Screen;
use crate::{process, settings};

/// Servers that answer and a ready Python. Dropped, it stops the servers that it has started.
pub(crate) struct Session {
    pub(crate) outcome: Outcome,
    pub(crate) python: Python,
    /// What tests are told.
    pub(crate) environment: Vec<(String, String)>,
    _started: Started,
}

impl Session {
    /// Provides the servers of these engines and Python while `build` compiles. `None` when it cannot begin; the report
    /// says why.
    pub(crate) fn open(
        engines: &[Engine],
        build: &mut Command,
        screen: &Screen,
        report: &mut Report,
    ) -> Result<Option<Self>> {
        let wanted: Vec<Service> = engines.iter().filter_map(|engine| engine.service()).collect();
        let begun = Instant::now();
        let (services, python, build) = std::thread::scope(|scope| {
            let services = scope.spawn(|| timed(|| services::up(&wanted, None, screen)));
            let python = scope.spawn(|| timed(|| python(screen)));
            let build = process::run(build);
            (services.join(), python.join(), build)
        });
        let compiling_took = begun.elapsed();
        // First of all, so that they are stopped whatever else went wrong.
        let (outcome, services_took) = services.map_err(|_| anyhow!("the thread for services panicked"))?;
        let outcome = outcome?;
        let started = Started { services: outcome.started.clone(), screen: screen.clone() };
        let (python, python_took) = python.map_err(|_| anyhow!("the thread for Python panicked"))?;
        let compiled = build?.success();

        report.step("services", services_took, verdict_on_services(&outcome));
        let python = match python {
            Ok(python) => {
                report.step("Python environment", python_took, Ending::Passed(String::new()));
                python
            }
            Err(error) => {
                report.step("Python environment", python_took, Ending::Failed(format!("{error:#}")));
                return Ok(None);
            }
        };
        if !compiled {
            report.step("compiling", compiling_took, Ending::Failed("see above".to_owned()));
            return Ok(None);
        }
        report.step("compiling", compiling_took, Ending::Passed(String::new()));
        Ok(Some(Self { environment: environment(&outcome, &python)?, outcome, python, _started: started }))
    }

    /// Engines that nobody asked for, and those without a server.
    pub(crate) fn excluded(&self, asked: &[Engine]) -> Vec<Engine> {
        Engine::ALL
            .into_iter()
            .filter(|engine| {
                let missing = engine
                    .service()
                    .is_some_and(|service| self.outcome.missing.iter().any(|(name, _)| *name == service));
                !asked.contains(engine) || missing || (*engine == Engine::Sqlserver && sqlserver().is_none())
            })
            .collect()
    }
}

/// The real T-SQL engine that the person named.
pub(crate) fn sqlserver() -> Option<String> {
    settings::variable("BINDERY_TEST_SQLSERVER_URL")
}

/// The servers that were started for a session.
struct Started {
    services: Vec<Service>,
    screen: Screen,
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.services.is_empty() {
            return;
        }
        if let Err(error) = services::down(&self.services, &self.screen) {
            self.screen.line(format_args!("✗ {error:#}"));
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

fn python(screen: &Screen) -> Result<Python> {
    let step = screen.step("Python environment");
    let python = Python::provide(&|text| step.note(text));
    match &python {
        Ok(_) => step.done(""),
        Err(error) => step.failed(format_args!("{error:#}")),
    };
    python
}

fn verdict_on_services(outcome: &Outcome) -> Ending {
    if outcome.missing.is_empty() {
        return Ending::Passed(format!("{} answer", outcome.running.len()));
    }
    let names: Vec<String> = outcome.missing.iter().map(|(service, reason)| format!("{service}: {reason}")).collect();
    let text = format!("missing: {}", names.join("\n"));
    if settings::continuous_integration() { Ending::Failed(text) } else { Ending::NotRun(text) }
}

fn environment(outcome: &Outcome, python: &Python) -> Result<Vec<(String, String)>> {
    let dump = tsql::dump_folder();
    if dump.exists() {
        fs::remove_dir_all(&dump)?;
    }
    fs::create_dir_all(&dump)?;
    let mut environment = outcome.environment();
    let interpreter = python.interpreter();
    for (name, path) in [("BINDERY_TEST_PYTHON", &interpreter), ("BINDERY_TSQL_DUMP", &dump)] {
        environment.push((name.to_owned(), path.display().to_string()));
    }
    Ok(environment)
}
