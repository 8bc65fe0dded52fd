//! What the service's own program does, so that there is one implementation of it.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::testing::runner::cargo;
use crate::ui::Screen;
use crate::{process, workspace};

/// Words that are handed on as they are.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    /// Handed on to the service's program; `--help` shows what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    words: Vec<String>,
}

/// Runs the program with a command and the rest of the words.
pub(crate) fn run(command: &[&str], rest: &Rest) -> Result<ExitCode> {
    finish(&mut program(command, rest))
}

fn finish(program: &mut Command) -> Result<ExitCode> {
    let status = process::run(program)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn program(command: &[&str], rest: &Rest) -> Command {
    let mut run = cargo(&["run", "--quiet", "--package", "api"]);
    // Paths among the words are meant from where the person stands.
    if let Ok(here) = std::env::current_dir() {
        run.current_dir(here).arg("--manifest-path").arg(workspace::root().join("Cargo.toml"));
    }
    run.arg("--").args(command).args(&rest.words);
    run
}

/// Makes the program and shows how far that has come. What runs it afterwards finds it made, and is quiet.
fn build() -> Command {
    cargo(&["build", "--package", "api"])
}

/// Writes the committed copy of the OpenAPI document anew.
pub(crate) fn openapi(screen: &Screen) -> Result<ExitCode> {
    let text = process::capture(&mut cargo(&["run", "--quiet", "--package", "api", "--", "openapi"]))?;
    let file = workspace::root().join("docs/openapi.json");
    let changed = fs::read_to_string(&file).ok().as_deref() != Some(&text);
    if changed {
        fs::write(&file, text)?;
    }
    screen.line(format_args!("✓ docs/openapi.json {}", if changed { "is written anew" } else { "was up to date" }));
    Ok(ExitCode::SUCCESS)
}

/// Fills the embedded databases with sample data and serves them with readable logs.
pub(crate) fn dev(rest: &Rest, screen: &Screen) -> Result<ExitCode> {
    screen.line("… the service's program; the first time it takes minutes to compile");
    if !process::run(&mut build())?.success() {
        return Ok(ExitCode::FAILURE);
    }
    if asks_for_help(&rest.words) {
        screen.line(
            "Serves sample data from embedded databases, with readable logs. What it takes is what `serve` takes:\n",
        );
        return run(&["serve"], &Rest { words: vec!["--help".to_owned()] });
    }
    screen.line("… sample data");
    let mut words: Vec<String> = ["--users", "50", "--books", "200"].map(str::to_owned).into();
    words.extend(shared(&rest.words));
    let sample = Rest { words };
    // Said again to a database that has its sample, it must not stop the server from starting.
    if run(&["seed"], &sample)? != ExitCode::SUCCESS {
        screen.line("! no sample data; the service starts without");
    }
    finish(program(&["serve"], rest).env("BINDERY_LOG__FORMAT", "pretty"))
}

/// Whether somebody wants to know what there is and nothing to be done.
fn asks_for_help(words: &[String]) -> bool {
    words.iter().any(|word| ["--help", "-h"].contains(&word.as_str()))
}

/// Of the words for `serve`, those that say where the configuration and the data are; `seed` takes them as well.
fn shared(words: &[String]) -> Vec<String> {
    let mut shared = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if ["--config", "--data"].contains(&word.as_str()) {
            shared.push(word.clone());
            shared.extend(rest.next().cloned());
        } else if word.starts_with("--config=") || word.starts_with("--data=") {
            shared.push(word.clone());
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_gets_its_own_words_and_cargo_the_others() {
        let rest = Rest { words: ["--data", "elsewhere"].map(str::to_owned).into() };
        let command = program(&["migrate", "status"], &rest);
        let words: Vec<&str> = command.get_args().filter_map(|word| word.to_str()).collect();
        let (for_cargo, for_api) = words.split_at(words.iter().position(|word| *word == "--").expect("a border"));
        assert!(for_cargo.contains(&"--manifest-path"), "{words:?}");
        assert_eq!(for_api, ["--", "migrate", "status", "--data", "elsewhere"]);
    }

    #[test]
    fn what_takes_long_is_shown() {
        let command = build();
        let words: Vec<&str> = command.get_args().filter_map(|word| word.to_str()).collect();
        assert!(words.contains(&"build") && !words.contains(&"--quiet"), "{words:?}");
    }

    #[test]
    fn help_is_asked_for_wherever_it_stands() {
        let asks = |words: &[&str]| asks_for_help(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(asks(&["--help"]) && asks(&["-h"]) && asks(&["--data", "elsewhere", "--help"]));
        assert!(!asks(&[]) && !asks(&["--listen", "127.0.0.1:0"]));
    }

    #[test]
    fn sample_data_goes_where_the_service_looks_for_it() {
        let words = ["--listen", "127.0.0.1:0", "--data", "elsewhere", "--config=file"].map(str::to_owned);
        assert_eq!(shared(&words), ["--data", "elsewhere", "--config=file"]);
        assert_eq!(shared(&["--data".to_owned()]), ["--data"]);
    }
}
