//! MongoDB: the DocumentDB engine in a `PostgreSQL` of its own, and in front of it testkit's bridge, which speaks the wire
//! protocol.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::own::quoted;
use super::place::{Home, Place};
use super::postgres;
use super::programs::Programs;
use super::state::Process;
use crate::debian::{self, Release, Unpacked};
use crate::testing::service;

/// The one user of our own server.
pub(super) const ADMINISTRATOR: &str = "admin";

const PACKAGE: &str = "postgresql-18-documentdb";
/// Where the packages would put the server, and what is needed around it.
const BIN: &str = "/usr/lib/postgresql/18/bin";
const LIB: &str = "/usr/lib/postgresql/18/lib";
const SHARE: &str = "/usr/share/postgresql/18";

/// The engine's programs. Unstable's are started through a program loader of their own, and `initdb` starts the server by
/// itself; so both get a script that does it, in a tree that looks like an installation.
pub(super) fn programs(home: &Home, say: &dyn Fn(&str)) -> Result<Programs> {
    let folder = home.packages("mongodb");
    let unpacked = debian::provide(Release::Unstable, &[PACKAGE], &folder, say)?;
    let tree = folder.join("tree");
    let below = |installed: &str| tree.join(installed.trim_start_matches('/'));
    if !below(BIN).join("postgres").is_file() {
        // What the package's script for its installation would have chosen.
        let extensions = unpacked.path(SHARE).join("extension");
        fs::remove_file(extensions.join("postgis.control")).ok();
        symlink("postgis-3.control", extensions.join("postgis.control"))?;
        for shared in [LIB, SHARE] {
            let link = below(shared);
            fs::create_dir_all(link.parent().context("a folder at the root")?)?;
            fs::remove_file(&link).ok();
            symlink(unpacked.path(shared), &link).with_context(|| format!("linking {}", link.display()))?;
        }
        fs::create_dir_all(below(BIN))?;
        // The server comes last, because it says that all is there.
        for program in ["initdb", "postgres"] {
            let script = below(BIN).join(program);
            fs::write(&script, launcher(&unpacked, program)?)?;
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        }
    }
    let version = unpacked.packages.iter().find_map(|package| package.strip_prefix(PACKAGE)?.strip_prefix('_'));
    let version = version.and_then(|rest| rest.split('_').next()).unwrap_or("?").to_owned();
    let name = format!("{PACKAGE} {version}");
    Programs::of_tree(below(BIN).join("postgres"), name, |postgres| {
        format!("DocumentDB {version} on PostgreSQL {postgres}")
    })
}

/// A script that starts a program of the packages and has it believe that it lies where the script does.
fn launcher(unpacked: &Unpacked, program: &str) -> Result<String> {
    let command = unpacked.command(&format!("{BIN}/{program}"));
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let [loader, option, libraries, program] = words.as_slice() else {
        bail!("the packages hold no program loader");
    };
    // Extensions need each other's libraries, which lie where only the server looks.
    let libraries = format!("{libraries}:{}", unpacked.path(LIB).display());
    let mut script = "#!/bin/sh\n".to_owned();
    let (loader, libraries, program) = (quoted(loader), quoted(&libraries), quoted(program));
    writeln!(script, "exec {loader} {option} {libraries} --argv0 \"$0\" {program} \"$@\"")?;
    Ok(script)
}

/// Starts the engine at the second port and the bridge at the first.
pub(super) fn start(programs: &Programs, place: &Place, say: &dyn Fn(&str)) -> Result<(Process, Process)> {
    say("building its bridge");
    let bridge = install(&service::program("mongodb-bridge")?, place)?;
    say("preparing its data");
    let engine = start_engine(programs, place)?;
    let options = serde_json::json!({
        "listen": format!("127.0.0.1:{}", place.port),
        "engine": format!("postgres://{ADMINISTRATOR}:{}@127.0.0.1:{}/postgres", place.password, place.tls_port),
        "certificate": place.certificates.leaf,
        "key": place.certificates.key,
    });
    let started = place
        .write("bridge.json", &options.to_string())
        .and_then(|options| place.spawn(Command::new(bridge).arg(options)));
    match started {
        Ok(bridge) => Ok((bridge, engine)),
        Err(error) => {
            engine.stop(super::Service::Postgres).ok();
            Err(error)
        }
    }
}

/// A copy that the server's user can reach, and that stays while the program is built anew.
fn install(program: &Path, place: &Place) -> Result<PathBuf> {
    let copy = place.path("mongodb-bridge");
    fs::copy(program, &copy).with_context(|| format!("copying {}", program.display()))?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(copy)
}

fn start_engine(programs: &Programs, place: &Place) -> Result<Process> {
    postgres::initialise(programs, place, ADMINISTRATOR)?;
    let mut command = programs.server();
    command.arg("-D").arg(place.data());
    let mut settings = postgres::settings(place, place.tls_port);
    // For what must be done apart from the transaction under way, the engine logs in to itself.
    let password = place.write("passwords", &format!("127.0.0.1:*:*:{ADMINISTRATOR}:{}\n", place.password))?;
    settings.push(format!("documentdb.localhost_connection_string=host=127.0.0.1 passfile='{}'", password.display()));
    settings.extend(
        [
            "shared_preload_libraries=pg_cron,pg_documentdb_core,pg_documentdb",
            "cron.database_name=postgres",
            // Otherwise they would log in over the network, and have no password.
            "cron.use_background_workers=on",
            "documentdb.enableBackgroundWorkerJobs=off",
            "max_worker_processes=16",
            // Tests choose their passwords for what is hard about them.
            "documentdb.enableUsernamePasswordConstraints=off",
            "documentdb.maxUserLimit=500",
        ]
        .map(ToOwned::to_owned),
    );
    for setting in settings {
        command.args(["-c", &setting]);
    }
    place.spawn(&mut command)
}
