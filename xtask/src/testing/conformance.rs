//! Schemathesis against a served API: every answer is what the OpenAPI document says.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::service::Instance;
use crate::python::Python;
use crate::services::state::Running;
use crate::services::{Outcome, Service, Source};
use crate::{process, workspace};

/// How long one run may take.
const LIMIT: Duration = Duration::from_mins(25);

/// Made for a run; whoever asks the registry shows the token.
const TOKEN: &str = "conformance-0123456789abcdef0123456789abcdef";
/// 32 bytes in base64, made for a run.
const KEY: &str = "Y29uZm9ybWFuY2UtY29uZm9ybWFuY2UtY29uZm9ybWE=";

/// Every context of the service.
const CONTEXTS: [&str; 3] = ["users", "books", "registry"];

/// Schemathesis, and the program that it asks.
pub(crate) struct Conformance<'a> {
    pub(crate) python: &'a Python,
    pub(crate) program: &'a Path,
    /// What its requests are generated from.
    pub(crate) seed: u64,
}

impl Conformance<'_> {
    /// Against an instance of the program with everything embedded.
    pub(crate) fn on_sqlite(&self, say: &dyn Fn(&str)) -> Result<String> {
        let scratch = tempfile::tempdir()?;
        let data = scratch.path().join("data");
        let instance =
            Instance::start(self.program, scratch.path(), &["--data", &data.to_string_lossy()], &registry())?;
        self.ask(&instance, "sqlite", scratch.path(), say)
    }

    /// Against an instance of the program whose contexts have their databases on the first server that runs.
    pub(crate) fn on_a_server(&self, outcome: &Outcome, say: &dyn Fn(&str)) -> Result<String> {
        let server = [Service::Postgres, Service::Mysql, Service::Mariadb]
            .into_iter()
            .find_map(|service| outcome.running.iter().find(|server| server.service == service))
            .context("no server runs")?;
        let scratch = tempfile::tempdir()?;
        say("making databases");
        let names = CONTEXTS.map(|context| format!("bindery_conformance_{context}_{}", std::process::id()));
        sql(self.python, &server.url, names.iter().map(|name| format!("CREATE DATABASE {name}")))?;
        let result = self.served(server, &outcome.authority, &names, scratch.path(), say);
        // The instance has ended by now, so nothing holds the databases any more.
        sql(self.python, &server.url, names.iter().map(|name| format!("DROP DATABASE {name}")))?;
        result.map(|text| format!("{}: {text}", server.service))
    }

    fn served(
        &self,
        server: &Running,
        authority: &Path,
        names: &[String; 3],
        scratch: &Path,
        say: &dyn Fn(&str),
    ) -> Result<String> {
        let file = scratch.join("bindery.toml");
        let mut configuration = String::new();
        let mut environment = vec![("BINDERY_CONFIG".to_owned(), file.display().to_string())];
        environment.extend(registry());
        for (context, name) in CONTEXTS.iter().zip(names) {
            writeln!(configuration, "{}", table(context, name, server, authority)?)?;
            let variable = format!("BINDERY_CONNECTIONS__{}__PASSWORD", context.to_uppercase());
            environment.push((variable, login(&server.url)?.1.to_owned()));
        }
        std::fs::write(&file, configuration)?;
        say("applying migrations");
        process::capture(Command::new(self.program).args(["migrate", "up"]).envs(environment.clone()))?;
        let instance = Instance::start(self.program, scratch, &[], &environment)?;
        self.ask(&instance, server.service.word(), scratch, say)
    }

    fn ask(&self, instance: &Instance, engine: &str, scratch: &Path, say: &dyn Fn(&str)) -> Result<String> {
        say("asking");
        let folder = workspace::root().join("bin/api/tests/schemathesis");
        let base = format!("http://{}", instance.address);
        let mut command = self.python.tool("schemathesis");
        command
            .arg("--config-file")
            .arg(folder.join("schemathesis.toml"))
            .args(["run", &format!("{base}/openapi.json"), "--url", &base, "--no-color"])
            .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
            .args(["--seed", &self.seed.to_string()])
            // The hooks are named relative to their configuration; what is written belongs elsewhere.
            .env("PYTHONPATH", &folder)
            .env("HYPOTHESIS_STORAGE_DIRECTORY", scratch.join("hypothesis"))
            .current_dir(&folder);
        let (status, text) = process::output_within(&mut command, LIMIT)?;
        // Its warnings are worth reading, and too long for a summary.
        let report = workspace::provided().join(format!("schemathesis-{engine}.txt"));
        std::fs::write(&report, &text)?;
        if !status.success() {
            bail!("schemathesis ended with {status}; all it said is in {}\n{}", report.display(), failures(&text));
        }
        Ok(closing(&text))
    }
}

/// What the registry is told besides its connection: where it may lead as well, since this machine has servers of others.
fn registry() -> Vec<(String, String)> {
    [
        ("BINDERY_REGISTRY__KEYS__CONFORMANCE", KEY),
        ("BINDERY_REGISTRY__TOKENS__CONFORMANCE", TOKEN),
        ("BINDERY_EGRESS__ALLOW_LOOPBACK", "false"),
        ("BINDERY_EGRESS__ALLOW_PRIVATE", "false"),
    ]
    .map(|(variable, value)| (variable.to_owned(), value.to_owned()))
    .to_vec()
}

/// A connection of the configuration. Its certificate is verified when the server is ours.
fn table(context: &str, database: &str, server: &Running, authority: &Path) -> Result<String> {
    let (user, _) = login(&server.url)?;
    let host = server.host().context("the server's URL names no host")?;
    let tls = if server.source == Source::Url {
        "mode = \"disabled\"".to_owned()
    } else {
        format!("mode = \"verify-full\", ca_file = \"{}\"", authority.display())
    };
    Ok(format!(
        "[connections.{context}]\nengine = \"{}\"\nhost = \"{host}\"\nport = {}\nusername = \"{user}\"\n\
         database = \"{database}\"\ntls = {{ {tls} }}\n",
        server.service.word(),
        server.port
    ))
}

/// User and password in a URL.
fn login(url: &str) -> Result<(&str, &str)> {
    let (_, rest) = url.split_once("://").context("the server's URL has no scheme")?;
    let (login, _) = rest.rsplit_once('@').context("the server's URL names no user")?;
    Ok(login.split_once(':').unwrap_or((login, "")))
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

/// The part in which Schemathesis describes what it found, with the request that repeats each finding, up to a length
/// that a build server's log can bear. A run that broke off has no such part and is quoted by its end.
fn failures(text: &str) -> String {
    const LINES: usize = 80;
    let is_heading =
        |line: &&str| line.starts_with("===") && (line.contains(" FAILURES ") || line.contains(" ERRORS "));
    let found: Vec<&str> = text.lines().skip_while(|line| !is_heading(line)).take(LINES).collect();
    if found.is_empty() { process::tail(text, 12) } else { format!("{}\n{}", found.join("\n"), closing(text)) }
}

/// What Schemathesis says it has done, in short: its counts, or its last line when it gives none.
fn closing(text: &str) -> String {
    let counts = |line: &&str| line.starts_with("Selected:") || line.split(' ').nth(1) == Some("generated,");
    let words: Vec<&str> = text.lines().map(str::trim).filter(counts).collect();
    let last = || text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if words.is_empty() { last().trim_matches(['=', ' ']).to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_taken_out_of_a_url() {
        assert_eq!(login("mysql://root:s3cret@127.0.0.1:3306/").unwrap(), ("root", "s3cret"));
        assert_eq!(login("postgres://me@host/").unwrap(), ("me", ""));
        assert!(login("postgres://host/").is_err());
    }

    #[test]
    fn a_finding_is_quoted_with_the_request_that_repeats_it() {
        let text = "Schemathesis v4\n=== FAILURES ===\n1. Undocumented status\n    curl -X GET http://here\n\
                    === SUMMARY ===\n  9 generated, 1 found 1 unique failure\n";
        let said = failures(text);
        assert!(said.starts_with("=== FAILURES ===") && said.contains("curl -X GET") && !said.contains("v4"), "{said}");
        assert_eq!(failures("no schema\n"), "no schema");
    }

    #[test]
    fn the_last_words_of_the_run_are_kept_short() {
        let text = "===\n  Selected: 14/14\n  Tested: 14\n  900 generated, 900 passed\n=== No issues found ===\n";
        assert_eq!(closing(text), "Selected: 14/14, 900 generated, 900 passed");
        assert_eq!(closing("=== 14 passed ===\n"), "14 passed");
    }
}
