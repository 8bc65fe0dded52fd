//! A real nginx with the configuration in `deploy/`, in front of a real instance.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::service::{self, Instance};
use crate::certificates::Certificates;
use crate::deployment::Nginx;
use crate::python::Python;
use crate::{process, workspace};

const SCRIPT: &str = include_str!("edge.py");

/// Shows that the edge does what `deploy/README.md` says of it.
pub(crate) fn check(python: &Python, say: &dyn Fn(&str)) -> Result<String> {
    let program = service::program(service::API)?;
    configuration(&program)?;
    say("nginx");
    let nginx = Nginx::provide()?;
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let instance = Instance::start(&program, scratch.path(), &["--data", &data.to_string_lossy()], &[])?;
    let certificates = Certificates::provide(&workspace::services().join("tls"))?;
    say("talking through it");
    let (command, environment) = nginx.arguments();
    let given = json!({
        "nginx": command,
        "configuration": workspace::root().join("deploy/nginx"),
        "scratch": scratch.path(),
        "api": instance.address,
        "instance": instance.pid(),
        "authority": certificates.authority,
        "certificate": certificates.leaf,
        "key": certificates.key,
    });
    let mut script = Command::new(python.interpreter());
    script.args(["-c", SCRIPT]).envs(environment);
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().context("starting the edge's test")?;
    child.stdin.take().context("the edge's test takes no input")?.write_all(given.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    let shown = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = shown.lines().last().unwrap_or("nothing was shown");
        bail!("after \"{last}\": {}", process::tail(&said, 6));
    }
    Ok(format!("{} things shown through nginx", shown.lines().count()))
}

/// The configuration in `deploy/` is one that the service takes.
fn configuration(program: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command.args(["config", "check", "--config"]).arg(workspace::root().join("deploy/bindery.toml"));
    for context in ["USERS", "BOOKS"] {
        command.env(format!("BINDERY_CONNECTIONS__{context}__PASSWORD"), "of no use");
    }
    command.env("BINDERY_REGISTRY__KEYS__FIRST", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    command.env("BINDERY_REGISTRY__TOKENS__OPERATOR", "of-no-use-0123456789abcdef0123456789abcdef");
    process::capture(&mut command).map(|_| ()).context("deploy/bindery.toml")
}
