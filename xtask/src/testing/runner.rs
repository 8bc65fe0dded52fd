//! The workspace's tests through nextest, or through `cargo test` where nextest is not installed.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::engine::Engine;
use super::results::{self, TestResult};
use crate::{process, workspace};

/// Options of every build, so that tests, documentation and lints share what they compile.
pub(crate) const SCOPE: [&str; 2] = ["--workspace", "--all-features"];

/// Which tests are wanted.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Engines whose tests are left out.
    pub(crate) excluded: Vec<Engine>,
    /// Parts of names; a test is wanted when it has one of them. All are, when there are none.
    pub(crate) filters: Vec<String>,
}

impl Selection {
    fn expression(&self) -> Option<String> {
        if self.excluded.is_empty() {
            return None;
        }
        let filters: Vec<String> = self.excluded.iter().map(|engine| engine.filter()).collect();
        Some(format!("not ({})", filters.join(" | ")))
    }

    fn wants(&self, integration: bool, name: &str) -> bool {
        let named = self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter));
        named && !self.excluded.iter().any(|engine| engine.runs(integration, name))
    }
}

/// The program that runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    /// The best one on this machine.
    pub(crate) fn find() -> Self {
        let asked = process::output(cargo(&["nextest", "--version"]).current_dir(workspace::root()));
        if asked.is_ok_and(|output| output.status.success()) { Self::Nextest } else { Self::CargoTest }
    }

    /// What the summary calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nextest => "cargo nextest run",
            Self::CargoTest => "cargo test",
        }
    }

    /// Compiles the tests.
    pub(crate) fn build(self) -> Command {
        let mut command = match self {
            Self::Nextest => cargo(&["nextest", "run"]),
            Self::CargoTest => cargo(&["test", "--lib", "--bins", "--tests", "--examples"]),
        };
        command.args(SCOPE).arg("--no-run");
        command
    }

    /// Runs the selected tests, with the runner's own output, and tells what became of each. The flag says whether the
    /// runner itself was content.
    pub(crate) fn run(
        self,
        selection: &Selection,
        environment: &[(String, String)],
    ) -> Result<(Vec<TestResult>, bool)> {
        match self {
            Self::Nextest => nextest(selection, environment),
            Self::CargoTest => cargo_test(selection, environment),
        }
    }

    /// The names of an engine's tests, as `binary name`.
    pub(crate) fn list(self, engine: Engine) -> Result<Vec<String>> {
        let tests = match self {
            Self::Nextest => {
                let mut command = cargo(&["nextest", "list", "--message-format", "json"]);
                command.args(SCOPE).args(["--filterset", &engine.filter()]);
                listed_by_nextest(&process::capture(&mut command)?)?
            }
            Self::CargoTest => listed_by_libtest(&list_with_libtest()?)
                .into_iter()
                .filter(|test| engine.runs(test.integration, &test.name))
                .collect(),
        };
        Ok(tests.into_iter().map(|test| format!("{} {}", test.binary, test.name)).collect())
    }
}

/// Runs the examples in the documentation.
pub(crate) fn doc_tests(environment: &[(String, String)]) -> Result<(Vec<TestResult>, bool)> {
    let mut command = cargo(&["test", "--doc", "--no-fail-fast"]);
    command.args(SCOPE).envs(environment.iter().cloned());
    let (status, text) = process::run_and_read(&mut command)?;
    Ok((results::from_libtest(&text), status.success()))
}

/// `cargo` in the workspace's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace::root()).args(arguments);
    command
}

fn nextest(selection: &Selection, environment: &[(String, String)]) -> Result<(Vec<TestResult>, bool)> {
    // nextest writes below the workspace's own `target`, wherever cargo builds.
    let junit = workspace::provided().join("nextest/xtask/junit.xml");
    if junit.exists() {
        fs::remove_file(&junit)?;
    }
    let mut command = cargo(&["nextest", "run", "--profile", "xtask", "--no-fail-fast"]);
    command.args(SCOPE).envs(environment.iter().cloned());
    if let Some(expression) = selection.expression() {
        command.args(["--filterset", &expression]);
    }
    if !selection.filters.is_empty() {
        command.arg("--no-tests=fail");
    }
    command.args(&selection.filters);
    let status = process::run(&mut command)?;
    match fs::read_to_string(&junit) {
        Ok(text) => Ok((results::from_junit(&text)?, status.success())),
        // No file: the runner ended before the first test, and has said why.
        Err(_) if !status.success() => Ok((Vec::new(), false)),
        Err(error) => Err(error).with_context(|| format!("reading {}", junit.display())),
    }
}

fn cargo_test(selection: &Selection, environment: &[(String, String)]) -> Result<(Vec<TestResult>, bool)> {
    let mut command = cargo(&["test", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"]);
    command.args(SCOPE).envs(environment.iter().cloned()).arg("--");
    if selection.excluded.is_empty() {
        command.args(&selection.filters);
    } else {
        // libtest knows no expressions: the names themselves are given, to be run or to be left out.
        command.arg("--exact");
        for test in listed_by_libtest(&list_with_libtest()?) {
            let wanted = selection.wants(test.integration, &test.name);
            if wanted && !selection.filters.is_empty() {
                command.arg(&test.name);
            } else if !wanted && selection.filters.is_empty() {
                command.args(["--skip", &test.name]);
            }
        }
    }
    let (status, text) = process::run_and_read(&mut command)?;
    Ok((results::from_libtest(&text), status.success()))
}

fn list_with_libtest() -> Result<String> {
    let output = process::output(&mut Runner::CargoTest.build())?;
    let mut text = String::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Some((source, binary)) = line.trim().strip_prefix("Executable ").and_then(|rest| rest.rsplit_once(" ("))
        else {
            continue;
        };
        let binary = workspace::root().join(binary.trim_end_matches(')'));
        text.push_str("Running ");
        text.push_str(source);
        text.push('\n');
        text.push_str(&process::capture(Command::new(binary).args(["--list", "--format", "terse"]))?);
    }
    Ok(text)
}

/// A test that could be run.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    binary: String,
    integration: bool,
    name: String,
}

fn listed_by_nextest(json: &str) -> Result<Vec<Listed>> {
    let list: serde_json::Value = serde_json::from_str(json).context("reading nextest's list")?;
    let mut found = Vec::new();
    for (binary, suite) in list["rust-suites"].as_object().into_iter().flatten() {
        for (name, case) in suite["testcases"].as_object().into_iter().flatten() {
            if case["filter-match"]["status"] == "matches" {
                found.push(Listed {
                    binary: binary.clone(),
                    integration: results::is_integration(binary),
                    name: name.clone(),
                });
            }
        }
    }
    Ok(found)
}

fn listed_by_libtest(text: &str) -> Vec<Listed> {
    let mut binary = String::new();
    let mut integration = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.trim().strip_prefix("Running ") {
            rest.clone_into(&mut binary);
            integration = !rest.starts_with("unittests ");
        } else if let Some(name) = line.strip_suffix(": test") {
            found.push(Listed { binary: binary.clone(), integration, name: name.to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_engine_left_out_there_is_no_expression() {
        assert_eq!(Selection::default().expression(), None);
        let selection = Selection { excluded: vec![Engine::Sqlserver, Engine::Mysql], filters: vec![] };
        let expression = selection.expression().unwrap();
        assert!(expression.starts_with("not (") && expression.contains("mysql") && expression.contains("sqlserver"));
    }

    #[test]
    fn a_selection_wants_what_is_named_and_not_left_out() {
        let selection = Selection { excluded: vec![Engine::Sqlserver], filters: vec!["users".into()] };
        assert!(selection.wants(true, "users::on_engines::mysql::a"));
        assert!(!selection.wants(true, "users::on_engines::sqlserver::a"));
        assert!(!selection.wants(true, "books::on_engines::mysql::a"));
        assert!(selection.wants(false, "users::sqlserver::tests::a"));
    }

    #[test]
    fn nextest_s_list_gives_what_matches() {
        let json = r#"{"rust-suites": {"api::it": {"testcases": {
            "on_engines::sqlserver::a": {"filter-match": {"status": "matches"}},
            "on_engines::mysql::a": {"filter-match": {"status": "mismatch", "reason": "expression"}}}}}}"#;
        let found = listed_by_nextest(json).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].binary.as_str(), found[0].integration), ("api::it", true));
    }

    #[test]
    fn libtest_s_list_is_read_binary_by_binary() {
        let found = listed_by_libtest(
            "Running unittests src/lib.rs\na::tests::b: test\nRunning tests/it/main.rs\nc::d: test\nx: benchmark\n",
        );
        let brief: Vec<_> = found.iter().map(|test| (test.integration, test.name.as_str())).collect();
        assert_eq!(brief, [(false, "a::tests::b"), (true, "c::d")]);
    }
}
