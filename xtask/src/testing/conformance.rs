//! Schemathesis against a served API: every answer is what the OpenAPI document says.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::service::{self, Instance};
use crate::python::Python;
use crate::services::{Outcome, Service};
use crate::{process, workspace};

/// How long one run may take.
const LIMIT: Duration = Duration::from_mins(15);

/// Against an instance with everything embedded.
pub(crate) fn on_sqlite(python: &Python, say: &dyn Fn(&str)) -> Result<String> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let instance = Instance::start(&service::program()?, scratch.path(), &["--data", &data.to_string_lossy()], &[])?;
    schemathesis(python, &instance, scratch.path(), say)
}

/// Against an instance whose contexts share a database on the first server that runs.
pub(crate) fn on_a_server(python: &Python, outcome: &Outcome, say: &dyn Fn(&str)) -> Result<String> {
    let server = [Service::Postgres, Service::Mysql, Service::Mariadb]
        .into_iter()
        .find_map(|service| outcome.running.iter().find(|server| server.service == service))
        .context("no server runs")?;
    let scratch = tempfile::tempdir()?;
    say("making databases");
    let names = ["users", "books"].map(|context| format!("bindery_conformance_{context}_{}", std::process::id()));
    sql(python, &server.url, names.iter().map(|name| format!("CREATE DATABASE {name}")))?;
    let result = served(python, &server.url, &names, scratch.path(), say);
    // The instance has ended by now, so nothing holds the databases any more.
    sql(python, &server.url, names.iter().map(|name| format!("DROP DATABASE {name}")))?;
    result.map(|text| format!("{}: {text}", server.service))
}

fn served(python: &Python, url: &str, names: &[String; 2], scratch: &Path, say: &dyn Fn(&str)) -> Result<String> {
    let (server, _) = url.split_once("127.0.0.1:").context("the server is not ours")?;
    let (_, rest) = url.split_once("127.0.0.1:").context("the server is not ours")?;
    let port = rest.split('/').next().unwrap_or_default();
    let mut configuration = String::new();
    for (context, name) in ["users", "books"].iter().zip(names) {
        writeln!(configuration, "[connections.{context}]\nurl = \"{server}127.0.0.1:{port}/{name}\"\n")?;
    }
    let program = &service::program()?;
    let file = scratch.join("bindery.toml");
    std::fs::write(&file, configuration)?;
    let file = file.display().to_string();
    say("applying migrations");
    process::capture(Command::new(program).args(["migrate", "up", "--config", &file]))?;
    let instance = Instance::start(program, scratch, &["--config", &file], &[])?;
    schemathesis(python, &instance, scratch, say)
}

/// Runs statements as the server's administrator.
fn sql(python: &Python, url: &str, statements: impl Iterator<Item = String>) -> Result<()> {
    const SCRIPT: &str = "import sys, sqlalchemy\n\
        url = sqlalchemy.make_url(sys.argv[1])\n\
        url = url.set(drivername={'mysql': 'mysql+pymysql', 'postgres': 'postgresql+psycopg'}[url.drivername])\n\
        engine = sqlalchemy.create_engine(url, isolation_level='AUTOCOMMIT')\n\
        with engine.connect() as connection:\n\
        \x20   for statement in sys.argv[2:]:\n\
        \x20       connection.execute(sqlalchemy.text(statement))\n";
    let mut command = Command::new(python.interpreter());
    command.args(["-c", SCRIPT, url]).args(statements);
    let output = process::output(&mut command)?;
    if !output.status.success() {
        // Without the command: it holds a password.
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("preparing databases: {}", process::tail(&said, 2));
    }
    Ok(())
}

fn schemathesis(python: &Python, instance: &Instance, scratch: &Path, say: &dyn Fn(&str)) -> Result<String> {
    say("asking");
    let folder = workspace::root().join("bin/api/tests/schemathesis");
    let base = format!("http://{}", instance.address);
    let mut command = python.tool("schemathesis");
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("{base}/openapi.json"), "--url", &base, "--no-color"])
        // The hooks are named relative to their configuration; what is written belongs elsewhere.
        .env("PYTHONPATH", &folder)
        .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
        .env("HYPOTHESIS_STORAGE_DIRECTORY", scratch.join("hypothesis"))
        .current_dir(&folder);
    let text = process::capture_within(&mut command, LIMIT)?;
    Ok(closing(&text))
}

/// What Schemathesis says it has done, in short.
fn closing(text: &str) -> String {
    let mut words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("generated") || line.contains("Selected:") || line.contains("Tested:"))
        .collect();
    if words.is_empty() {
        words = text.lines().rev().find(|line| !line.trim().is_empty()).into_iter().collect();
    }
    words.join(", ").trim_matches(['=', ' ']).to_owned()
}
