//! A real instance of the service, for tests from outside.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::runner::{SCOPE, cargo};
use crate::process;

/// The service's own program.
pub(crate) const API: &str = "api";

/// A program of the workspace, compiled together with the tests' features so that little is compiled twice.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let text = process::capture(build(name).args(["--message-format", "json-render-diagnostics"]))
        .with_context(|| format!("building `{name}`"))?;
    executable(&text, name).with_context(|| format!("cargo names no program `{name}`"))
}

/// Compiles it.
pub(crate) fn build(name: &str) -> Command {
    let mut command = cargo(&["build", "--bin", name]);
    command.args(SCOPE);
    command
}

/// The program in cargo's messages.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// A running instance; it is stopped when this is dropped.
pub(crate) struct Instance {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
}

impl Instance {
    /// Starts the service at a free port of the loopback interface and waits until it says where it listens.
    /// What it prints goes into `folder`.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let log = folder.join("api.log");
        let output = File::create(&log)?;
        let child = Command::new(program)
            .arg("serve")
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(environment.iter().cloned())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("starting the service")?;
        let mut instance = Self { child, address: String::new() };
        let mut ended = false;
        let found = process::wait_until(Duration::from_mins(1), || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let Some(address) = listens_at(&text) {
                instance.address = address;
            }
            ended = matches!(instance.child.try_wait(), Ok(Some(_)));
            ended || !instance.address.is_empty()
        });
        if ended || !found {
            let text = fs::read_to_string(&log).unwrap_or_default();
            bail!("the service does not start: {}", process::tail(&text, 6));
        }
        Ok(instance)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It drains by itself; whether it ended well is for the service's own tests to say.
        process::stop(self.child.id(), Signal::TERM, Duration::from_secs(20)).ok();
    }
}

/// The address in `… listens at http://127.0.0.1:40123`.
fn listens_at(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("listens at http://")?;
    let (line, _) = rest.split_once('\n')?;
    line.split_whitespace().next().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_once_its_line_is_complete() {
        assert_eq!(listens_at("Bindery 0.1.0 listens at http://127.0.0.1:40"), None);
        assert_eq!(listens_at("Bindery 0.1.0 listens at http://127.0.0.1:40123\n  docs").unwrap(), "127.0.0.1:40123");
    }

    #[test]
    fn the_program_is_found_among_cargo_s_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"api\"},\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"api\"},\"executable\":\"/t/debug/api\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages, API).unwrap(), Path::new("/t/debug/api"));
    }
}
