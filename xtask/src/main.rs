#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to the person who runs it")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use ui::Screen;

mod architecture;
mod certificates;
mod commands;
mod coverage;
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
    /// Check the toolchain and say what is missing and how to get it
    Setup(commands::setup::Arguments),
    /// Serve sample data from embedded databases, with readable logs
    #[command(disable_help_flag = true)]
    Dev(commands::api::Rest),
    /// Start, stop and look at the servers that tests need (MySQL, MariaDB, PostgreSQL, Redis, moto, DynamoDB, MongoDB)
    Services(commands::services::Arguments),
    /// Bring schemas up to date, take them back, or begin a new migration
    Migrate(commands::migrate::Arguments),
    /// List the configured connections, or test them step by step
    #[command(disable_help_flag = true)]
    Connections(commands::api::Rest),
    /// Look at a secret, clear its copies, or rehearse its rotation
    #[command(disable_help_flag = true)]
    Secrets(commands::api::Rest),
    /// Fill the databases with believable users and books
    #[command(disable_help_flag = true)]
    Seed(commands::api::Rest),
    /// Write the committed copy of the OpenAPI document anew
    Openapi,
    /// Check format, lints, documentation, dependency rules, licences, advisories, spelling and generated files
    Check(commands::check::Arguments),
    /// Run all tests on every engine, providing the servers they need
    Test(commands::test::Arguments),
    /// Measure which lines the tests run, by layer, beside the goals
    Coverage(commands::coverage::Arguments),
    /// Run the benchmarks, providing the servers they need
    Bench(commands::bench::Arguments),
    /// Run tests again and again with many more generated cases, until one fails or the time is over
    Soak(commands::soak::Arguments),
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let screen = Screen::new();
    match interrupt::install().and_then(|()| run(&line.command, &screen)) {
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

fn run(task: &Task, screen: &Screen) -> anyhow::Result<ExitCode> {
    match task {
        Task::Setup(arguments) => Ok(commands::setup::run(arguments, screen)),
        Task::Dev(rest) => commands::api::dev(rest, screen),
        Task::Services(arguments) => commands::services::run(arguments, screen),
        Task::Migrate(arguments) => commands::migrate::run(arguments, screen),
        Task::Connections(rest) => commands::api::run(&["connections"], rest),
        Task::Secrets(rest) => commands::api::run(&["secrets"], rest),
        Task::Seed(rest) => commands::api::run(&["seed"], rest),
        Task::Openapi => commands::api::openapi(screen),
        Task::Check(arguments) => commands::check::run(arguments, screen),
        Task::Test(arguments) => commands::test::run(arguments, screen),
        Task::Coverage(arguments) => commands::coverage::run(arguments, screen),
        Task::Bench(arguments) => commands::bench::run(arguments, screen),
        Task::Soak(arguments) => commands::soak::run(arguments, screen),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn an_unknown_command_suggests_the_nearest() {
        let error = CommandLine::try_parse_from(["cargo xtask", "servces", "up"]).unwrap_err();
        assert!(error.to_string().contains("'services'"), "{error}");
    }

    #[test]
    fn options_of_the_service_are_handed_on() {
        let line = CommandLine::try_parse_from(["cargo xtask", "migrate", "up", "--context", "users"]).unwrap();
        assert!(format!("{line:?}").contains("\"--context\", \"users\""), "{line:?}");
    }
}
