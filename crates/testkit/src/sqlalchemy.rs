//! Asking `SQLAlchemy` about a database: an inspector that is not ours.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use connection_manager::PasswordSource;
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt as _;

use crate::server::environment;
use crate::{Server, TestDatabase};

/// The database's address as `SQLAlchemy`'s `URL.create` takes it, password included.
pub fn sqlalchemy_url(database: &TestDatabase) -> Json {
    let settings = database.settings();
    let password = match &settings.password {
        PasswordSource::Literal(password) => Some(password.expose_secret().to_owned()),
        _ => None,
    };
    let (driver, place) = match database.server() {
        Server::MySql | Server::MariaDb => ("mysql+pymysql", settings.database.clone()),
        Server::Postgres | Server::SqlServer => ("postgresql+psycopg", settings.database.clone()),
        Server::Sqlite => ("sqlite", database.path().map(|path| path.display().to_string())),
    };
    json!({
        "drivername": driver, "username": settings.username, "password": password,
        "host": settings.host, "port": settings.port, "database": place,
    })
}

/// Runs a script that asks `SQLAlchemy`; see [`ask_python`].
///
/// # Panics
/// When the environment names no interpreter, or the script fails.
pub async fn ask_sqlalchemy(script: &Path, request: &Json) -> Json {
    ask_python(script, request).await
}

/// Runs a script with an interpreter that has `SQLAlchemy`, `PyMySQL`, `psycopg` and boto3: a request in, an answer out, both JSON.
///
/// Dropping the future ends the script.
///
/// # Panics
/// When the environment names no interpreter, or the script fails.
pub async fn ask_python(script: &Path, request: &Json) -> Json {
    let mut python = tokio::process::Command::new(interpreter())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the interpreter that BINDERY_TEST_PYTHON names starts");
    // The password goes through a pipe: arguments and environment can be seen by others on the machine.
    let mut input = python.stdin.take().expect("a pipe");
    input.write_all(request.to_string().as_bytes()).await.expect("the script reads its request");
    drop(input);
    let output = python.wait_with_output().await.expect("the script ends");
    assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script answers in JSON")
}

fn interpreter() -> PathBuf {
    match environment("BINDERY_TEST_PYTHON") {
        Some(path) => path.into(),
        None => panic!("BINDERY_TEST_PYTHON is not set; run it through `cargo xtask test`"),
    }
}
