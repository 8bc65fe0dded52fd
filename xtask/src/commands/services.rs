//! `cargo xtask services`: the servers that tests need.

use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::process;
use crate::services::state::{Running, State};
use crate::services::{self, Service, Source, lent, probe};
use crate::ui::Screen;

/// Start, stop and look at the servers that tests need (MySQL, MariaDB, PostgreSQL, Redis, moto, DynamoDB, MongoDB)
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start what does not run yet and wait until it answers
    Up {
        /// The services; all of them when none is named
        names: Vec<Service>,
        /// Take them from this source alone
        #[arg(long, value_name = "SOURCE")]
        source: Option<Source>,
    },
    /// Stop what `up` has started
    Down {
        /// The services; all of them when none is named
        names: Vec<Service>,
    },
    /// Show what runs, where, and whether it answers
    Status,
    /// Show what the servers have written
    Logs {
        /// The services; all of them when none is named
        names: Vec<Service>,
        /// How many lines of each
        #[arg(long, short = 'n', default_value_t = 40)]
        lines: usize,
    },
    /// Print `export` lines for a shell: eval "$(cargo xtask services env)"
    Env,
    /// Start a server of the caller's own, print its URL, and stop it when the input ends
    Lend {
        /// MySQL, MariaDB or PostgreSQL
        name: Service,
        /// A setting of the server, such as `max_connections=12`; may be given several times
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = lent::setting)]
        settings: Vec<(String, String)>,
    },
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    match &arguments.action {
        Action::Up { names, source } => up(names, *source, screen),
        Action::Down { names } => {
            services::down(names, screen)?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Status => status(),
        Action::Logs { names, lines } => logs(names, *lines),
        Action::Env => environment(),
        Action::Lend { name, settings } => {
            lent::lend(*name, settings.clone())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn up(names: &[Service], source: Option<Source>, screen: &Screen) -> Result<ExitCode> {
    let wanted = if names.is_empty() { &Service::ALL } else { names };
    let outcome = services::up(wanted, source, screen)?;
    for server in &outcome.running {
        if !outcome.started.contains(&server.service) {
            screen.line(format_args!("✓ {} {} runs already", server.service, server.version));
        }
    }
    if outcome.missing.is_empty() {
        screen.line("For a shell: eval \"$(cargo xtask services env)\"");
        return Ok(ExitCode::SUCCESS);
    }
    for (service, _) in &outcome.missing {
        screen.line(format_args!(
            "✗ {service} is missing; `cargo xtask services logs {}` may say more, and {} takes the URL of any server",
            service.word(),
            service.variable()
        ));
    }
    Ok(ExitCode::FAILURE)
}

fn status() -> Result<ExitCode> {
    let state = State::load()?;
    if state.running.is_empty() {
        println!("nothing runs; `cargo xtask services up` starts all services");
        return Ok(ExitCode::SUCCESS);
    }
    let mut well = true;
    for server in &state.running {
        let says = match verdict(server) {
            Ok(()) => "answers".to_owned(),
            Err(error) => {
                well = false;
                format!("does not answer: {error:#}")
            }
        };
        let process = server.process.as_ref().map_or_else(String::new, |process| format!(", process {}", process.pid));
        println!(
            "{:<11} {says} on port {}{process} ({}, {})",
            server.service.to_string(),
            server.port,
            server.version,
            server.source
        );
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verdict(server: &Running) -> Result<()> {
    if !server.alive() {
        bail!("it has ended");
    }
    if server.source != Source::Url {
        probe::ask(server.service, "127.0.0.1", server.port, Duration::from_secs(5))?;
    }
    Ok(())
}

fn logs(names: &[Service], lines: usize) -> Result<ExitCode> {
    let state = State::load()?;
    let mut out = std::io::stdout().lock();
    for service in Service::ALL {
        if !names.is_empty() && !names.contains(&service) {
            continue;
        }
        let running = state.running.iter().find(|server| server.service == service);
        if let Some(container) = running.and_then(|server| server.container.as_ref()) {
            writeln!(out, "== {service}")?;
            process::run(&mut container.logs(lines))?;
            continue;
        }
        // A server that failed to start is in no list, and its log is the one that is wanted.
        let file = match running.and_then(|server| server.log.clone()) {
            Some(file) => file,
            None => services::place::Home::locate()?.log(service),
        };
        if let Ok(text) = fs::read(&file) {
            writeln!(out, "== {service}: {}", file.display())?;
            writeln!(out, "{}", process::tail(&String::from_utf8_lossy(&text), lines))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn environment() -> Result<ExitCode> {
    let mut state = State::load()?;
    state.running.retain(Running::alive);
    if state.running.is_empty() {
        bail!("nothing runs; `cargo xtask services up` starts all services");
    }
    for (name, value) in services::environment(&state.running, &state.authority) {
        println!("export {name}='{value}'");
    }
    Ok(ExitCode::SUCCESS)
}
