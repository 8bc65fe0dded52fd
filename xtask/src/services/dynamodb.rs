//! Dynoxide: DynamoDB in one process, in memory, which lets everybody in. Built from crates.io, at a pinned version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::place::Place;
use super::programs::Programs;
use super::state::Process;
use crate::process;

const CRATE: &str = "dynoxide-rs";
pub(super) const VERSION: &str = "3.2.0";
/// Its server alone; the tools beside it would take longer to build than it does.
const FEATURES: &str = "cli,http-server,native-sqlite";

/// The program below `folder`, built first when it is not there. A build for debugging is ready sooner and quick enough.
pub(super) fn program(folder: &Path, say: &dyn Fn(&str)) -> Result<PathBuf> {
    let root = folder.join(VERSION);
    let program = root.join("bin/dynoxide");
    if program.is_file() {
        return Ok(program);
    }
    say("building it, which takes minutes the first time");
    let build = folder.join("build");
    let mut cargo = Command::new("cargo");
    cargo.args(["install", CRATE, "--version", VERSION, "--locked", "--debug", "--quiet"]);
    cargo.args(["--no-default-features", "--features", FEATURES]);
    cargo.arg("--root").arg(&root).arg("--target-dir").arg(&build);
    process::capture(&mut cargo).with_context(|| format!("building {CRATE} {VERSION}"))?;
    fs::remove_dir_all(&build).with_context(|| format!("removing {}", build.display()))?;
    Ok(program)
}

pub(super) fn start(programs: &Programs, place: &Place) -> Result<Process> {
    let mut command = programs.server();
    command.args(["serve", "--host", "127.0.0.1", "--port", &place.port.to_string()]);
    place.spawn(&mut command)
}
