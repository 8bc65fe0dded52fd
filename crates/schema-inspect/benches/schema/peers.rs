use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use testkit::Server;
use tokio::io::AsyncWriteExt as _;

use crate::Failure;
use crate::figures::Figures;
use crate::made::Made;

/// The package of npm, at the version that was tried.
const POSTGRES_META: &str = "@supabase/postgres-meta@0.99.0";

/// Somebody else who reads schemas: a program that is asked in JSON and answers with [`Figures`]. It takes the time itself, from
/// when its connection is open, so that its start is not counted.
pub(crate) struct Peer {
    name: &'static str,
    program: PathBuf,
    script: PathBuf,
    /// Which of the ways that the script knows.
    way: &'static str,
    engines: &'static [Server],
}

impl Peer {
    /// Those that this machine can run. Says of each other one what is missing.
    pub(crate) fn provide() -> Vec<Self> {
        let mut peers = Vec::new();
        #[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
        match std::env::var_os("BINDERY_TEST_PYTHON") {
            Some(python) => {
                for (name, way) in [("SQLAlchemy get_multi", "get_multi"), ("SQLAlchemy reflect", "reflect")] {
                    peers.push(Self {
                        name,
                        program: PathBuf::from(&python),
                        script: here("sqlalchemy_peer.py"),
                        way,
                        engines: &[Server::Postgres, Server::MariaDb, Server::Sqlite],
                    });
                }
            }
            None => eprintln!("SQLAlchemy is left out: BINDERY_TEST_PYTHON is not set"),
        }
        match install() {
            Ok(script) => peers.push(Self {
                name: "postgres-meta",
                program: "node".into(),
                script,
                way: "list",
                engines: &[Server::Postgres],
            }),
            Err(reason) => eprintln!("postgres-meta is left out: {reason}"),
        }
        peers
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn knows(&self, server: Server) -> bool {
        self.engines.contains(&server)
    }

    /// Reads the schema, over a port of this machine if one is named.
    pub(crate) async fn read(&self, made: &Made, port: Option<u16>) -> Result<Figures, Failure> {
        let mut url = testkit::sqlalchemy_url(&made.database);
        if let (Some(port), Some(url)) = (port, url.as_object_mut()) {
            url.insert("host".to_owned(), "127.0.0.1".into());
            url.insert("port".to_owned(), port.into());
        }
        let mut program = tokio::process::Command::new(&self.program)
            .arg(&self.script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut input = program.stdin.take().ok_or("no pipe")?;
        input.write_all(json!({ "url": url, "way": self.way }).to_string().as_bytes()).await?;
        drop(input);
        let output = program.wait_with_output().await?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

fn here(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/schema/peers").join(script)
}

/// Puts the package below the target directory, with the script beside it: modules are looked for from there.
fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres-meta");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let installed = folder.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|package| package == POSTGRES_META) {
        return script(&folder);
    }
    let status = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", POSTGRES_META])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("npm does not start: {error}"))?;
    if !status.success() {
        return Err(format!("npm ended with {status}"));
    }
    fs::write(installed, POSTGRES_META).map_err(|error| error.to_string())?;
    script(&folder)
}

fn script(folder: &Path) -> Result<PathBuf, String> {
    let script = folder.join("postgres_meta_peer.mjs");
    fs::copy(here("postgres_meta_peer.mjs"), &script).map_err(|error| error.to_string())?;
    Ok(script)
}
