//! `MySQL`: a fresh data folder, then the server with TLS and little memory.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::place::Place;
use super::programs::Programs;
use super::state::Process;

pub(super) fn start(programs: &Programs, place: &Place) -> Result<Process> {
    let mut initialise = server(programs, place);
    initialise.args(["--initialize-insecure", "--innodb-redo-log-capacity=16M"]);
    place.run(&mut initialise, None).context("making the data folder")?;

    let init = place.write("init.sql", &super::mariadb::administrator(&place.password))?;
    let mut command = server(programs, place);
    command.args(network_options(place));
    command.arg(format!("--init-file={}", init.display())).args(SMALL_AND_QUICK).args([
        "--mysqlx=OFF",
        "--performance-schema=OFF",
        "--disable-log-bin",
        "--innodb-redo-log-capacity=64M",
        "--innodb-doublewrite=OFF",
        "--secure-file-priv=NULL",
    ]);
    command.args(wishes(place));
    place.spawn(&mut command)
}

/// What is wanted of this server alone. Of two options of one name, the later one counts.
pub(super) fn wishes(place: &Place) -> impl Iterator<Item = String> {
    place.wishes.iter().map(|(name, value)| format!("--{name}={value}"))
}

/// What `MySQL` and `MariaDB` call the same: a test server loses nothing worth keeping when the machine fails.
pub(super) const SMALL_AND_QUICK: [&str; 8] = [
    "--max-connections=600",
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-use-native-aio=OFF",
    "--innodb-lock-wait-timeout=20",
    "--character-set-server=utf8mb4",
    "--skip-name-resolve",
    "--max-allowed-packet=64M",
];

/// Loopback alone, TLS for whoever asks; the socket's name is relative because long paths are refused.
pub(super) fn network_options(place: &Place) -> Vec<String> {
    let file = |name: &str, path: &Path| format!("--{name}={}", path.display());
    vec![
        format!("--port={}", place.port),
        "--bind-address=127.0.0.1".to_owned(),
        "--socket=server.sock".to_owned(),
        file("ssl-ca", &place.certificates.authority),
        file("ssl-cert", &place.certificates.leaf),
        file("ssl-key", &place.certificates.key),
    ]
}

fn server(programs: &Programs, place: &Place) -> Command {
    let mut command = program(programs);
    command.arg(format!("--datadir={}", place.data().display()));
    command
}

/// The program with what it needs wherever it lies.
pub(super) fn program(programs: &Programs) -> Command {
    let mut command = programs.server();
    // Must come first: no configuration of the machine's own server.
    command.arg("--no-defaults");
    if let Some(prefix) = programs.relocated() {
        let option = |name: &str, below: &str| format!("--{name}={}", prefix.join(below).display());
        command.args([
            option("basedir", ""),
            option("plugin-dir", "lib/mysql/plugin"),
            option("lc-messages-dir", "share/mysql"),
            option("character-sets-dir", "share/mysql/charsets"),
        ]);
    }
    command
}
