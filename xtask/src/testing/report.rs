//! The summary at the end of `cargo xtask test`.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use super::engine::Engine;
use super::results::TestResult;
use crate::ui::duration;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Well; the text says what was done.
    Passed(String),
    /// Badly; the text says why.
    Failed(String),
    /// It was not done, for a reason that is fine.
    NotRun(String),
}

/// One step of a run.
#[derive(Debug, Clone)]
pub(crate) struct StepReport {
    pub(crate) name: String,
    pub(crate) took: Duration,
    pub(crate) ending: Ending,
}

/// What a run did on one engine.
#[derive(Debug, Clone)]
pub(crate) struct EngineReport {
    pub(crate) engine: Engine,
    /// The server, or why there was none.
    pub(crate) server: String,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Names of tests that exist and were left out.
    pub(crate) not_run: Vec<String>,
}

impl EngineReport {
    /// Counts an engine's tests.
    pub(crate) fn new(engine: Engine, server: String, results: &[TestResult], not_run: Vec<String>) -> Self {
        let of_engine = || results.iter().filter(|result| engine.runs(result.integration, &result.name));
        Self {
            engine,
            server,
            passed: of_engine().filter(|result| result.passed).count(),
            failed: of_engine().filter(|result| !result.passed).count(),
            not_run,
        }
    }

    fn ran(&self) -> usize {
        self.passed + self.failed
    }
}

/// Everything that a run did.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) steps: Vec<StepReport>,
    pub(crate) engines: Vec<EngineReport>,
    /// What makes the run a failure although no step failed.
    pub(crate) faults: Vec<String>,
    /// What a person should know although it is no failure.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// Adds a step that has ended.
    pub(crate) fn step(&mut self, name: &str, took: Duration, ending: Ending) {
        self.steps.push(StepReport { name: name.to_owned(), took, ending });
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    pub(crate) fn failed(&self) -> bool {
        !self.faults.is_empty() || self.steps.iter().any(|step| matches!(step.ending, Ending::Failed(_)))
    }

    /// The summary as a text.
    pub(crate) fn text(&self, took: Duration) -> String {
        let mut text = String::new();
        self.write(&mut text, took).expect("a String takes any text");
        text
    }

    fn write(&self, out: &mut String, took: Duration) -> std::fmt::Result {
        for report in self.engines.iter().filter(|report| !report.not_run.is_empty()) {
            writeln!(out, "\nNot run on {}:", report.engine)?;
            for name in &report.not_run {
                writeln!(out, "  {name}")?;
            }
        }
        if !self.engines.is_empty() {
            writeln!(out, "\nEngine       passed  failed  not run  server")?;
            for report in &self.engines {
                writeln!(
                    out,
                    "{:<11}  {:>6}  {:>6}  {:>7}  {}",
                    report.engine,
                    report.passed,
                    report.failed,
                    report.not_run.len(),
                    report.server
                )?;
            }
        }
        writeln!(out, "\nStep                              time  outcome")?;
        for step in &self.steps {
            let (sign, words) = match &step.ending {
                Ending::Passed(words) => ("", words),
                Ending::Failed(words) => ("FAILED: ", words),
                Ending::NotRun(words) => ("not run: ", words),
            };
            writeln!(
                out,
                "{:<26}  {:>12}  {sign}{}",
                step.name,
                duration(step.took),
                words.replace('\n', "\n                                          ")
            )?;
        }
        for note in &self.notes {
            writeln!(out, "! {note}")?;
        }
        for fault in &self.faults {
            writeln!(out, "✗ {fault}")?;
        }
        let verdict = if self.failed() { "FAILED" } else { "passed" };
        writeln!(out, "\n{verdict} in {}", duration(took))
    }

    /// An engine whose server was there and on which no test ran is a hole in the tests.
    pub(crate) fn require_tests_on(&mut self, engines: &[Engine]) {
        for report in &self.engines {
            if engines.contains(&report.engine) && report.ran() == 0 {
                self.faults.push(format!("no test ran on {}", report.engine));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, passed: bool) -> TestResult {
        TestResult { binary: "api::it".into(), integration: true, name: name.into(), passed }
    }

    fn report() -> Report {
        let results = [
            result("on_engines::mysql::a", true),
            result("on_engines::mysql::b", false),
            result("on_engines::sqlite::a", true),
        ];
        let skipped = vec!["api::it on_engines::sqlserver::a".to_owned()];
        Report {
            steps: vec![StepReport {
                name: "unit and integration tests".into(),
                took: Duration::from_secs(75),
                ending: Ending::Failed("1 of 3 failed".into()),
            }],
            engines: vec![
                EngineReport::new(Engine::Mysql, "9.7.4".into(), &results, vec![]),
                EngineReport::new(Engine::Sqlite, "embedded".into(), &results, vec![]),
                EngineReport::new(Engine::Sqlserver, "none".into(), &results, skipped),
            ],
            ..Report::default()
        }
    }

    #[test]
    fn the_summary_counts_each_engine_and_names_what_was_not_run() {
        let text = report().text(Duration::from_secs(80));
        assert!(text.contains("MySQL             1       1        0  9.7.4"), "{text}");
        assert!(text.contains("SQL Server        0       0        1  none"), "{text}");
        assert!(text.contains("  api::it on_engines::sqlserver::a\n"), "{text}");
        assert!(text.contains("FAILED: 1 of 3 failed"), "{text}");
        assert!(text.ends_with("FAILED in 1 min 20 s\n"), "{text}");
    }

    #[test]
    fn an_engine_without_a_test_makes_the_run_a_failure() {
        let mut report = report();
        report.steps.clear();
        assert!(!report.failed());
        report.require_tests_on(&[Engine::Mysql]);
        assert!(!report.failed());
        report.require_tests_on(&[Engine::Sqlserver]);
        assert!(report.failed());
    }
}
