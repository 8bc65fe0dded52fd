//! What the test runner says about each test, in nextest's `JUnit` file or in the lines of `cargo test`.

use anyhow::{Context, Result};

/// One test and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestResult {
    /// The package, and the binary when it is not the library's own: `connection-manager::it`.
    pub(crate) binary: String,
    /// Whether it is an integration test's binary.
    pub(crate) integration: bool,
    /// Its path inside the binary.
    pub(crate) name: String,
    pub(crate) passed: bool,
}

/// Reads nextest's `JUnit` file.
pub(crate) fn from_junit(text: &str) -> Result<Vec<TestResult>> {
    let document = roxmltree::Document::parse(text).context("reading the runner's JUnit file")?;
    let mut results = Vec::new();
    for suite in document.descendants().filter(|node| node.has_tag_name("testsuite")) {
        let binary = suite.attribute("name").unwrap_or_default();
        for case in suite.children().filter(|node| node.has_tag_name("testcase")) {
            let failed = case.children().any(|node| node.has_tag_name("failure") || node.has_tag_name("error"));
            results.push(TestResult {
                binary: binary.to_owned(),
                integration: is_integration(binary),
                name: case.attribute("name").unwrap_or_default().to_owned(),
                passed: !failed,
            });
        }
    }
    Ok(results)
}

/// Whether nextest's name of a binary is one of an integration test: `package::name`, and not `package::bin/name`.
pub(crate) fn is_integration(binary: &str) -> bool {
    binary.split_once("::").is_some_and(|(_, name)| !name.contains('/'))
}

/// Reads the lines of `cargo test`, doc tests among them.
pub(crate) fn from_libtest(text: &str) -> Vec<TestResult> {
    let mut results = Vec::new();
    let mut binary = String::new();
    let mut integration = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("Running ") {
            rest.clone_into(&mut binary);
            integration = !rest.starts_with("unittests ");
        } else if let Some(rest) = line.strip_prefix("Doc-tests ") {
            rest.clone_into(&mut binary);
            integration = false;
        } else if let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            let outcome = outcome.split([' ', ',']).next().unwrap_or_default();
            if matches!(outcome, "ok" | "FAILED") {
                results.push(TestResult {
                    binary: binary.clone(),
                    integration,
                    name: name.to_owned(),
                    passed: outcome == "ok",
                });
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_s_file_tells_binaries_and_failures() {
        let results = from_junit(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="3" failures="1">
              <testsuite name="migrations::it" tests="2">
                <testcase name="on_engines::mysql::a" classname="migrations::it" time="0.1"/>
                <testcase name="on_engines::sqlite::b" classname="migrations::it" time="0.1">
                  <failure type="test failure">it said &lt;no&gt;</failure>
                </testcase>
              </testsuite>
              <testsuite name="xtask::bin/xtask" tests="1"><testcase name="ui::tests::c"/></testsuite>
            </testsuites>"#,
        )
        .unwrap();
        let brief: Vec<_> =
            results.iter().map(|result| (result.name.as_str(), result.integration, result.passed)).collect();
        assert_eq!(
            brief,
            [
                ("on_engines::mysql::a", true, true),
                ("on_engines::sqlite::b", true, false),
                ("ui::tests::c", false, true),
            ]
        );
    }

    #[test]
    fn a_file_that_is_cut_off_is_an_error() {
        assert!(from_junit("<testsuites><testsuite name=\"a\">").is_err());
    }

    #[test]
    fn cargo_test_s_lines_tell_the_same() {
        let results = from_libtest(
            "     Running unittests src/lib.rs (target/debug/deps/migrations-1)\n\
             \n\
             running 1 test\n\
             test sqlite::tests::a ... ok\n\
             \n\
             test result: ok. 1 passed; 0 failed\n\
             \n     Running tests/it/main.rs (target/debug/deps/it-2)\n\
             test on_engines::mysql::b ... FAILED\n\
             test on_engines::mysql::c ... ignored, slow\n\
             test slow has been running for over 60 seconds\n\
               Doc-tests migrations\n\
             test migrations/src/lib.rs - (line 3) ... ok\n",
        );
        let brief: Vec<_> =
            results.iter().map(|result| (result.name.as_str(), result.integration, result.passed)).collect();
        assert_eq!(
            brief,
            [
                ("sqlite::tests::a", false, true),
                ("on_engines::mysql::b", true, false),
                ("migrations/src/lib.rs - (line 3)", false, true),
            ]
        );
    }
}
