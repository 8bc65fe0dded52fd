//! What runs, written down in `target/services/services.json` so that a later command finds it again.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::{Service, Source, container, given};
use crate::certificates::write_private;
use crate::{process, workspace};

/// A process, told apart from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    birth_mark: Option<String>,
}

impl Process {
    /// The process with this id, as it is now.
    pub(crate) fn new(pid: u32) -> Self {
        Self { pid, birth_mark: process::birth_mark(pid) }
    }

    /// Whether the very process still runs.
    pub(crate) fn alive(&self) -> bool {
        process::alive(self.pid) && process::birth_mark(self.pid) == self.birth_mark
    }

    /// Ends it in the way its server likes.
    pub(crate) fn stop(&self, service: Service) -> Result<()> {
        if !self.alive() {
            return Ok(());
        }
        let signal = match service {
            Service::Mysql
            | Service::Mariadb
            | Service::Redis
            | Service::Moto
            | Service::Dynamodb
            | Service::Mongodb => Signal::TERM,
            // PostgreSQL's fast shutdown: sessions end, nothing is lost. SIGTERM would wait for clients.
            Service::Postgres => Signal::INT,
        };
        process::stop(self.pid, signal, Duration::from_secs(30))
    }
}

/// A server that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) service: Service,
    pub(crate) source: Source,
    pub(crate) detail: String,
    pub(crate) version: String,
    pub(crate) port: u16,
    /// Holds the administrator's password: the file is readable by its owner alone.
    pub(crate) url: String,
    /// What tests are told beside the URL, as variables.
    pub(crate) further: Vec<(String, String)>,
    pub(crate) log: Option<PathBuf>,
    pub(crate) process: Option<Process>,
    /// The `PostgreSQL` that the process stands in front of, when it is none by itself.
    #[serde(default)]
    pub(crate) behind: Option<Process>,
    pub(crate) container: Option<container::Id>,
}

impl Running {
    /// Whether it is still there; of a server named by URL nothing is known without asking it.
    pub(crate) fn alive(&self) -> bool {
        match (&self.process, &self.container) {
            (Some(process), _) => process.alive() && self.behind.as_ref().is_none_or(Process::alive),
            (None, Some(container)) => container.alive(),
            (None, None) => true,
        }
    }

    /// The host in its URL.
    pub(crate) fn host(&self) -> Option<String> {
        given::host_and_port(&self.url, self.port).map(|(host, _)| host)
    }

    /// Stops it, when it is ours to stop, and says how long that took.
    pub(crate) fn stop(&self) -> Result<Duration> {
        let begun = Instant::now();
        if let Some(process) = &self.process {
            process.stop(self.service)?;
            stop_behind(self.behind.as_ref())?;
            // The data served the tests that ran; the log stays for whoever wants to know what happened.
            if let Some(folder) = self.log.as_ref().and_then(|log| log.parent()) {
                fs::remove_dir_all(folder.join("data")).ok();
            }
        }
        if let Some(container) = &self.container {
            container.remove()?;
        }
        Ok(begun.elapsed())
    }
}

/// Ends the `PostgreSQL` behind a server.
pub(super) fn stop_behind(behind: Option<&Process>) -> Result<()> {
    behind.map_or(Ok(()), |process| process.stop(Service::Postgres))
}

/// All that runs.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) authority: PathBuf,
    pub(crate) running: Vec<Running>,
}

impl State {
    /// What was written down last; nothing when there is no file or an older xtask wrote it differently.
    pub(crate) fn load() -> Result<Self> {
        Self::load_from(&file())
    }

    fn load_from(file: &std::path::Path) -> Result<Self> {
        match fs::read(file) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
        }
    }

    pub(crate) fn save(&self) -> Result<()> {
        self.save_to(&file())
    }

    fn save_to(&self, file: &std::path::Path) -> Result<()> {
        let fresh = file.with_extension("json.new");
        write_private(&fresh, &serde_json::to_vec_pretty(self)?)?;
        fs::rename(&fresh, file).with_context(|| format!("writing {}", file.display()))
    }

    /// Leaves out what has ended since, and what a person named by URL: their environment is read anew each time.
    /// Of a server that has lost one of its two processes, the other ends.
    pub(crate) fn forget_dead(&mut self) {
        self.running.retain(|server| {
            let kept = !matches!(server.source, Source::Url | Source::Fallback) && server.alive();
            if !kept && server.behind.is_some() {
                server.stop().ok();
            }
            kept
        });
    }
}

fn file() -> PathBuf {
    workspace::services().join("services.json")
}

/// One command at a time changes what runs; the others wait.
pub(crate) fn lock() -> Result<File> {
    let folder = workspace::services();
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let file = File::create(folder.join("lock"))?;
    file.lock().context("waiting for another `cargo xtask` that starts or stops services")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn server(service: Service, source: Source, process: Option<Process>) -> Running {
        Running {
            service,
            source,
            detail: String::new(),
            version: "1".into(),
            port: 1,
            url: "mysql://root:secret@127.0.0.1:1/".into(),
            further: Vec::new(),
            log: None,
            process,
            behind: None,
            container: None,
        }
    }

    #[test]
    fn the_state_survives_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        let state = State {
            authority: "/ca.pem".into(),
            running: vec![server(Service::Mysql, Source::Installed, Some(Process::new(std::process::id())))],
        };
        state.save_to(&file).unwrap();
        assert_eq!(State::load_from(&file).unwrap(), state);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_missing_or_foreign_file_means_that_nothing_runs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        assert_eq!(State::load_from(&file).unwrap(), State::default());
        fs::write(&file, "[]").unwrap();
        assert_eq!(State::load_from(&file).unwrap(), State::default());
    }

    #[test]
    fn what_has_ended_is_forgotten_and_a_reused_process_id_is_not_mistaken_for_ours() {
        let ours = Process::new(std::process::id());
        let reused = Process { birth_mark: Some("another moment".into()), ..ours.clone() };
        let mut state = State {
            authority: PathBuf::new(),
            running: vec![
                server(Service::Mysql, Source::Packages, Some(ours)),
                server(Service::Mariadb, Source::Packages, Some(reused)),
                server(Service::Postgres, Source::Url, None),
            ],
        };
        state.forget_dead();
        let left: Vec<Service> = state.running.iter().map(|server| server.service).collect();
        assert_eq!(left, [Service::Mysql]);
    }
}
