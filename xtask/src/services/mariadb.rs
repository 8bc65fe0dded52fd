//! `MariaDB`: the system tables from its own scripts, then the server with TLS and little memory.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::mysql::{SMALL_AND_QUICK, network_options, wishes};
use super::place::Place;
use super::programs::Programs;
use super::state::Process;

/// The scripts that make the system tables, in the order in which they build on each other.
const SCRIPTS: [&str; 3] = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];

pub(super) fn start(programs: &Programs, place: &Place) -> Result<Process> {
    let share = share(programs)?;
    let script = place.write("system.sql", &system_tables(&share)?)?;
    // The data folder must exist, and belong to the server's user, before the server looks into it.
    place.run(Command::new("mkdir").arg(place.data()), None)?;
    let mut bootstrap = server(programs, place, &share);
    bootstrap.args(["--bootstrap", "--silent-startup", "--skip-grant-tables", "--log-warnings=0"]);
    bootstrap.args(["--max-allowed-packet=8M", "--net-buffer-length=16K"]);
    place.run(&mut bootstrap, Some(File::open(script)?)).context("making the system tables")?;

    let init = place.write("init.sql", &administrator(&place.password))?;
    let mut command = server(programs, place, &share);
    command
        .args(network_options(place))
        .arg(format!("--init-file={}", init.display()))
        .args(SMALL_AND_QUICK)
        .args(["--innodb-log-file-size=64M", "--skip-innodb-doublewrite"])
        .args(wishes(place));
    place.spawn(&mut command)
}

/// What makes the system tables.
pub(super) fn system_tables(share: &Path) -> Result<String> {
    let mut script = String::from(
        "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\nSET @skip_auth_anonymous = 1;\n",
    );
    for name in SCRIPTS {
        let text = fs::read_to_string(share.join(name)).with_context(|| format!("reading {name}"))?;
        writeln!(script, "{text}")?;
    }
    // The scripts make an administrator for each name of this machine; one is enough.
    script.push_str("DELETE FROM global_priv WHERE Host <> 'localhost';\n");
    script.push_str("DELETE FROM proxies_priv WHERE Host <> 'localhost';\n");
    Ok(script)
}

/// Gives the administrator the password, from whatever address; the server listens on the loopback interface alone.
pub(super) fn administrator(password: &str) -> String {
    format!(
        "ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n\
         CREATE USER 'root'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
    )
}

fn server(programs: &Programs, place: &Place, share: &Path) -> Command {
    let mut command = program(programs, share);
    command.arg(format!("--datadir={}", place.data().display()));
    command
}

/// The program with what it needs wherever it lies, and without the configuration of the machine's own server.
pub(super) fn program(programs: &Programs, share: &Path) -> Command {
    let mut command = programs.server();
    command.arg("--no-defaults");
    if let Some(prefix) = programs.relocated() {
        command
            .arg(format!("--basedir={}", prefix.display()))
            .arg(format!("--plugin-dir={}", prefix.join("lib/mysql/plugin").display()))
            .arg(format!("--lc-messages-dir={}", share.display()))
            .arg(format!("--character-sets-dir={}", share.join("charsets").display()));
    }
    command
}

/// The folder with the scripts; distributions call it differently.
pub(super) fn share(programs: &Programs) -> Result<PathBuf> {
    let prefix = programs.prefix();
    ["share/mysql", "share/mariadb", "share"]
        .map(|folder| prefix.join(folder))
        .into_iter()
        .find(|folder| folder.join(SCRIPTS[0]).is_file())
        .with_context(|| format!("no MariaDB scripts below {}", prefix.join("share").display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_is_let_in_from_the_loopback_address_as_well() {
        let sql = administrator("s3cret");
        assert_eq!(sql.matches("s3cret").count(), 2);
        assert!(sql.contains("'root'@'%'"));
    }
}
