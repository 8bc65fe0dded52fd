//! `PostgreSQL`: `initdb`, then the server with TLS and little memory.

use anyhow::{Context, Result};

use super::place::Place;
use super::programs::Programs;
use super::state::Process;

pub(super) fn start(programs: &Programs, place: &Place) -> Result<Process> {
    initialise(programs, place, "postgres")?;
    let mut command = programs.server();
    command.arg("-D").arg(place.data());
    for setting in settings(place, place.port) {
        command.args(["-c", &setting]);
    }
    place.spawn(&mut command)
}

/// Makes the data folder, with one user who may do everything.
pub(super) fn initialise(programs: &Programs, place: &Place, user: &str) -> Result<()> {
    let password = place.write("password", &place.password)?;
    let mut initialise = programs.sibling("initdb");
    initialise.arg("--pgdata").arg(place.data()).arg(format!("--pwfile={}", password.display())).args([
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
    ]);
    initialise.arg(format!("--username={user}"));
    place.run(&mut initialise, None).context("making the data folder")
}

/// Its settings, for the server at this port.
pub(super) fn settings(place: &Place, port: u16) -> Vec<String> {
    let mut settings: Vec<String> = [
        // Loopback alone, no socket in the file system: its path might be too long.
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "ssl=on",
        "max_connections=600",
        "shared_buffers=64MB",
        // A test server loses nothing worth keeping when the machine fails.
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        // Known without the time zone files of the system, which may be missing.
        "timezone=GMT",
        "log_timezone=GMT",
        "autovacuum_naptime=1h",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    settings.push(format!("port={port}"));
    settings.push(format!("ssl_cert_file={}", place.certificates.leaf.display()));
    settings.push(format!("ssl_key_file={}", place.certificates.key.display()));
    settings.push(format!("ssl_ca_file={}", place.certificates.authority.display()));
    // Of two settings of one name, the later one counts.
    settings.extend(place.wishes.iter().map(|(name, value)| format!("{name}={value}")));
    settings
}
