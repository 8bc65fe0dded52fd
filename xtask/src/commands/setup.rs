//! `cargo xtask setup`: what this machine has, what is missing, and how to get it.

use std::process::{Command, ExitCode};

use clap::Args;

use crate::debian::{self, Release};
use crate::services::{self, Service, container};
use crate::ui::Screen;
use crate::{process, settings};

/// Check the toolchain and say what is missing and how to get it
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// The oldest compiler that the workspace supports.
const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// What was found of one thing.
enum Finding {
    Good(String),
    /// Missing, and something else serves.
    Optional(String),
    Missing(String),
}

pub(crate) fn run(_: &Arguments, screen: &Screen) -> ExitCode {
    let step = screen.step("looking around");
    let findings = [
        ("rustc", rustc()),
        ("cargo", program("cargo", &["--version"], "https://rustup.rs installs it together with rustc")),
        ("rustfmt", program("cargo", &["fmt", "--version"], "rustup component add rustfmt")),
        ("clippy", program("cargo", &["clippy", "--version"], "rustup component add clippy")),
        ("nextest", nextest()),
        (
            "C compiler",
            program(
                "cc",
                &["--version"],
                "on Debian `apt-get install gcc libc6-dev`, on macOS `xcode-select --install`",
            ),
        ),
        ("Python", python()),
        ("containers", containers()),
        ("MySQL", server(Service::Mysql, Release::Unstable)),
        ("MariaDB", server(Service::Mariadb, Release::Own)),
        ("PostgreSQL", server(Service::Postgres, Release::Own)),
        ("Redis", server(Service::Redis, Release::Own)),
        ("moto", Finding::Good("AWS for tests, among the Python tools".to_owned())),
        ("DynamoDB", Finding::Good("Dynoxide plays it for tests, built from crates.io".to_owned())),
        ("MongoDB", server(Service::Mongodb, Release::Unstable)),
        ("SQL Server", sqlserver()),
    ];
    step.done("");
    let mut missing = 0;
    for (name, finding) in &findings {
        let (sign, text) = match finding {
            Finding::Good(text) => ('✓', text),
            Finding::Optional(text) => ('·', text),
            Finding::Missing(text) => {
                missing += 1;
                ('✗', text)
            }
        };
        println!("{sign} {name:<11} {text}");
    }
    if missing == 0 {
        println!("\nReady. Next: cargo run --release, or cargo xtask test");
        ExitCode::SUCCESS
    } else {
        println!("\n{missing} missing; the lines marked ✗ say how to get it");
        ExitCode::FAILURE
    }
}

fn rustc() -> Finding {
    let Some(text) = first_line("rustc", &["--version"]) else {
        return Finding::Missing("https://rustup.rs installs it".to_owned());
    };
    let version = text.split(' ').nth(1).unwrap_or_default();
    if at_least(version, RUST_VERSION) {
        Finding::Good(text)
    } else {
        Finding::Missing(format!("{text} is older than {RUST_VERSION}: rustup update stable"))
    }
}

/// Whether a version such as `1.95.0-nightly` is at least one such as `1.95`.
fn at_least(version: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split('-').next().unwrap_or_default().split('.').map_while(|part| part.parse().ok()).collect()
    };
    !numbers(version).is_empty() && numbers(version) >= numbers(wanted)
}

fn nextest() -> Finding {
    first_line("cargo", &["nextest", "--version"]).map_or_else(
        || Finding::Optional("not there; `cargo test` serves. Quicker with it: https://nexte.st".to_owned()),
        Finding::Good,
    )
}

fn python() -> Finding {
    let Some(version) = first_line("python3", &["--version"]) else {
        return Finding::Missing(
            "on Debian `apt-get install python3 python3-venv`; it checks schemas, T-SQL and the API".to_owned(),
        );
    };
    if first_line("python3", &["-c", "import ensurepip, venv; print('venv')"]).is_some() {
        Finding::Good(format!("{version} with venv"))
    } else if debian::available(Release::Own).is_ok() {
        Finding::Good(format!("{version} without ensurepip; pip comes from an unpacked package"))
    } else {
        Finding::Missing(format!("{version} without `venv` and `ensurepip`: install them"))
    }
}

fn containers() -> Finding {
    container::engine().map_or_else(
        || Finding::Optional("no engine runs; servers come from programs or packages".to_owned()),
        |engine| Finding::Good(format!("{} runs; servers come from the official images", engine.display())),
    )
}

fn server(service: Service, release: Release) -> Finding {
    if settings::variable(service.variable()).is_some() {
        return Finding::Good(format!("given by {}", service.variable()));
    }
    if let Some(text) = services::programs::installed_version(service) {
        return Finding::Good(format!("installed: {text}"));
    }
    if container::engine().is_some() {
        return Finding::Good("from its image".to_owned());
    }
    match debian::available(release) {
        Ok(()) => {
            Finding::Good("not installed; `cargo xtask services up` unpacks its packages, without root".to_owned())
        }
        Err(error) => {
            Finding::Missing(format!("{error}. Install it, run a container engine, or set {}", service.variable()))
        }
    }
}

fn sqlserver() -> Finding {
    if settings::variable("BINDERY_TEST_SQLSERVER_URL").is_some() {
        Finding::Good("given by BINDERY_TEST_SQLSERVER_URL".to_owned())
    } else {
        Finding::Optional(
            "BINDERY_TEST_SQLSERVER_URL is not set: its protocol and syntax are tested, its semantics are not"
                .to_owned(),
        )
    }
}

fn program(name: &str, arguments: &[&str], remedy: &str) -> Finding {
    first_line(name, arguments).map_or_else(|| Finding::Missing(remedy.to_owned()), Finding::Good)
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let text = process::capture(Command::new(program).args(arguments)).ok()?;
    text.lines().next().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(at_least("1.95.0", "1.95"));
        assert!(at_least("1.100.0-nightly", "1.95"));
        assert!(!at_least("1.94.9", "1.95"));
        assert!(!at_least("", "1.95"));
    }
}
