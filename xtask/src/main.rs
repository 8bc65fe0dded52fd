#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to the person who runs it")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use ui::Screen;

mod architecture;
mod certificates;
mod commands;
mod debian;
mod deployment;
mod interrupt;
mod policy;
mod process;
mod python;
mod services;
mod settings;
mod testing;
mod ui;
mod workspace;

/// Everything a developer of Bindery does, behind one door
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start, stop and look at the servers that tests need (MySQL, MariaDB, PostgreSQL)
    Services(commands::services::Arguments),
    /// Check format, lints, documentation, dependency rules, licences, advisories, spelling and generated files
    Check(commands::check::Arguments),
    /// Run all tests on every engine, providing the servers they need
    Test(commands::test::Arguments),
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let screen = Screen::new();
    let result = interrupt::install().and_then(|()| match &line.command {
        Task::Services(arguments) => commands::services::run(arguments, &screen),
        Task::Check(arguments) => commands::check::run(arguments, &screen),
        Task::Test(arguments) => commands::test::run(arguments, &screen),
    });
    match result {
        Ok(code) => code,
        Err(error) if error.is::<interrupt::Interrupted>() => {
            eprintln!("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
