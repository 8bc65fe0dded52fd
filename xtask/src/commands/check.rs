//! `cargo xtask check`: everything that can be said about the sources without running them.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::policy::{self, Policy, advisories};
use crate::python::Python;
use crate::testing::report::{Ending, Report};
use crate::testing::runner::cargo;
use crate::testing::service;
use crate::ui::Screen;
use crate::{architecture, deployment, interrupt, process, workspace};

/// Check format, lints, documentation, dependency rules, licences, advisories, spelling and generated files
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only the checks whose names contain one of these
    names: Vec<String>,
}

/// What a check found, when it is content.
enum Verdict {
    Good(String),
    /// It could not be made, for a reason that is fine.
    NotRun(String),
}

type Check = fn(&Screen) -> Result<Verdict>;

/// In the order in which a person wants to hear of them: the quick ones first.
const CHECKS: [(&str, Check); 9] = [
    ("format", format),
    ("dependency rules", dependency_rules),
    ("licences and bans", licences_and_bans),
    ("advisories", advisories),
    ("spelling", spelling),
    ("deployment files", deployment_files),
    ("lints", lints),
    ("documentation", documentation),
    ("generated files", generated_files),
];

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    let wanted: Vec<_> = CHECKS
        .iter()
        .filter(|(name, _)| {
            arguments.names.is_empty() || arguments.names.iter().any(|part| name.contains(part.as_str()))
        })
        .collect();
    if wanted.is_empty() {
        let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        bail!("there is no such check; there are: {}", names.join(", "));
    }
    let begun = Instant::now();
    let mut report = Report::default();
    for (name, check) in wanted {
        interrupt::check()?;
        screen.line(format_args!("… {name}"));
        let begun = Instant::now();
        let ending = match check(screen) {
            Ok(Verdict::Good(text)) => Ending::Passed(text),
            Ok(Verdict::NotRun(text)) => Ending::NotRun(text),
            Err(error) if error.is::<interrupt::Interrupted>() => return Err(error),
            Err(error) => Ending::Failed(format!("{error:#}")),
        };
        report.step(name, begun.elapsed(), ending);
    }
    screen.line(report.text(begun.elapsed()));
    Ok(report.exit_code())
}

fn format(_: &Screen) -> Result<Verdict> {
    process::run_checked(&mut cargo(&["fmt", "--all", "--check"]))?;
    Ok(Verdict::Good(String::new()))
}

fn lints(_: &Screen) -> Result<Verdict> {
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]);
    process::run_checked(clippy.args(["--", "-D", "warnings"]))?;
    Ok(Verdict::Good(String::new()))
}

fn documentation(_: &Screen) -> Result<Verdict> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    process::run_checked(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Verdict::Good(String::new()))
}

fn dependency_rules(_: &Screen) -> Result<Verdict> {
    nothing_of(&architecture::violations(workspace::root())?)?;
    Ok(Verdict::Good(String::new()))
}

fn licences_and_bans(_: &Screen) -> Result<Verdict> {
    let policy = Policy::load()?;
    let packages = policy::packages()?;
    let mut found = policy.licences(&packages)?;
    found.extend(policy.bans(&packages));
    nothing_of(&found)?;
    Ok(Verdict::Good(format!("{} packages", packages.len())))
}

fn advisories(screen: &Screen) -> Result<Verdict> {
    let policy = Policy::load()?;
    let packages = policy::packages()?;
    let database = match advisories::fetch(&policy.advisories) {
        Ok(database) => database,
        Err(error) => return Ok(Verdict::NotRun(format!("the database cannot be reached: {error:#}"))),
    };
    let findings = advisories::look_up(&database, &packages, &policy.advisories)?;
    for remark in &findings.remarks {
        screen.line(format_args!("! {remark}"));
    }
    nothing_of(&findings.faults)?;
    Ok(Verdict::Good(format!(
        "{} advisories about {} packages, none touches us; {} remarks",
        findings.read,
        packages.len(),
        findings.remarks.len()
    )))
}

fn spelling(_: &Screen) -> Result<Verdict> {
    let python = Python::provide(&|_| {})?;
    process::run_checked(python.tool("typos").current_dir(workspace::root()))?;
    Ok(Verdict::Good(String::new()))
}

fn deployment_files(_: &Screen) -> Result<Verdict> {
    let python = Python::provide(&|_| {})?;
    deployment::lint(&python).map(Verdict::Good)
}

/// Files that a program writes must be what it writes today.
fn generated_files(_: &Screen) -> Result<Verdict> {
    let file = workspace::root().join("docs/openapi.json");
    let committed = fs::read_to_string(&file).context("reading docs/openapi.json")?;
    let fresh = process::capture(Command::new(service::program(service::API)?).arg("openapi"))?;
    if committed.trim() != fresh.trim() {
        bail!(
            "docs/openapi.json is not what the code says: {}; `cargo xtask openapi` writes it anew",
            first_difference(&committed, &fresh)
        );
    }
    Ok(Verdict::Good("docs/openapi.json".to_owned()))
}

fn first_difference(left: &str, right: &str) -> String {
    let line = left
        .lines()
        .zip(right.lines())
        .position(|(left, right)| left != right)
        .unwrap_or_else(|| left.lines().count().min(right.lines().count()));
    format!("line {} differs", line + 1)
}

fn nothing_of(found: &[String]) -> Result<()> {
    if found.is_empty() { Ok(()) } else { bail!("{}", found.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_even_at_the_end() {
        assert_eq!(first_difference("a\nb\nc", "a\nx\nc"), "line 2 differs");
        assert_eq!(first_difference("a\nb", "a\nb\nc"), "line 3 differs");
    }
}
