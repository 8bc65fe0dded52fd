//! SQL Server's syntax without SQL Server: every T-SQL text that the project can send goes through a T-SQL parser.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::python::Python;
use crate::{process, workspace};

const SCRIPT: &str = include_str!("tsql.py");

/// What the parser found.
#[derive(Debug, Deserialize)]
struct Findings {
    files: usize,
    statements: usize,
    faults: Vec<String>,
}

/// Whose texts tests write down, by the beginnings of the files' names. Each sends some to SQL Server: where there are none of
/// one, its tests have not run or do not note what they see.
const SOURCES: [&str; 8] =
    ["000_", "books_", "connector_", "export_", "inspector_", "migrations_", "registry_", "users_"];

/// The folder into which tests write each T-SQL text that is sent: what the dialect renders of its table of constructs, what
/// the contexts' repositories, the migrator and the connector send, the inspector's questions and the exporter's scripts.
pub(crate) fn dump_folder() -> PathBuf {
    workspace::provided().join("tsql")
}

/// Parses the dumped texts and the migrations.
pub(crate) fn check(python: &Python) -> Result<String> {
    let mut dumped = Vec::new();
    collect(&dump_folder(), &|name| has_extension(name, "sql"), &mut dumped)?;
    let mut migrations = Vec::new();
    collect(
        &workspace::root().join("migrations"),
        &|name| name.starts_with("sqlserver.") && has_extension(name, "sql"),
        &mut migrations,
    )?;
    if dumped.is_empty() {
        bail!("no test has written a T-SQL text into {}", dump_folder().display());
    }
    if migrations.is_empty() {
        bail!("there is no migration for SQL Server");
    }
    let missing = sources_without_a_text(&dumped);
    if !missing.is_empty() {
        bail!("no test has written a T-SQL text of {} into {}", missing.join(", "), dump_folder().display());
    }
    let findings = parse(python, &[dumped, migrations].concat())?;
    if findings.faults.is_empty() {
        Ok(format!("{} statements in {} texts parse", findings.statements, findings.files))
    } else {
        bail!("{}", findings.faults.join("\n"))
    }
}

/// The sources of which there is no file. The texts of the table of constructs are numbered.
fn sources_without_a_text(files: &[PathBuf]) -> Vec<&'static str> {
    let name = |file: &PathBuf| file.file_name().map(|name| name.to_string_lossy().into_owned());
    let names: Vec<String> = files.iter().filter_map(name).collect();
    SOURCES.into_iter().filter(|source| !names.iter().any(|name| name.starts_with(source))).collect()
}

fn parse(python: &Python, files: &[PathBuf]) -> Result<Findings> {
    let mut command = std::process::Command::new(python.interpreter());
    command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("starting the T-SQL parser")?;
    let list: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    child.stdin.take().context("the T-SQL parser takes no input")?.write_all(list.join("\n").as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("`{}` ended with {}", process::describe(&command).lines().next().unwrap_or_default(), output.status);
    }
    serde_json::from_slice(&output.stdout).context("reading what the T-SQL parser says")
}

fn has_extension(name: &str, wanted: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == wanted)
}

fn collect(folder: &Path, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), wanted, found)?;
        } else if wanted(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_of_texts_that_writes_none_is_missed() {
        let mut files: Vec<PathBuf> =
            SOURCES.iter().map(|source| Path::new("tsql").join(format!("{source}a.sql"))).collect();
        assert_eq!(sources_without_a_text(&files), [""; 0]);
        files.retain(|file| !file.ends_with("migrations_a.sql"));
        assert_eq!(sources_without_a_text(&files), ["migrations_"]);
    }
}
