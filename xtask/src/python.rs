//! The Python environment below `target/venv`: tools and libraries that checks and tests use, at pinned versions.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::debian::{self, Release};
use crate::{process, settings, workspace};

/// What is installed, all of it pinned.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// A ready environment.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    /// The environment, made or brought up to date first when the pins have changed. `say` hears what is being done.
    pub(crate) fn provide(say: &dyn Fn(&str)) -> Result<Self> {
        let python = Self { folder: workspace::provided().join("venv") };
        fs::create_dir_all(workspace::provided())?;
        // Services and tools want it at the same time.
        let lock = File::create(workspace::provided().join("venv.lock"))?;
        lock.lock().context("waiting for another `cargo xtask` that makes the Python environment")?;
        let stamp = python.folder.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
            return Ok(python);
        }
        let base = settings::program("python3")
            .context("python3 is not there; on Debian `apt-get install python3`, elsewhere see `cargo xtask setup`")?;
        say("making the environment");
        let pip = make(&base, &python.folder)?;
        say("installing packages");
        let requirements = workspace::root().join("xtask/requirements.txt");
        let mut install = Command::new(python.interpreter());
        match &pip {
            Some(wheel) => install.arg(wheel.join("pip")),
            None => install.args(["-m", "pip"]),
        };
        install.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
        process::capture(&mut install).context("installing Python packages")?;
        fs::write(stamp, REQUIREMENTS)?;
        Ok(python)
    }

    /// The interpreter that sees the packages.
    pub(crate) fn interpreter(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// A tool that came with a package.
    pub(crate) fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(name));
        // Tools print for people, in UTF-8, whatever the machine's locale is.
        command.env("PYTHONUTF8", "1");
        command
    }
}

/// Makes the environment. Debian splits pip's wheel off into a package of its own: without it the environment has no
/// pip, and the wheel that is returned serves in its place.
fn make(base: &Path, folder: &Path) -> Result<Option<PathBuf>> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    let complete = process::output(Command::new(base).args(["-m", "venv"]).arg(folder))?;
    if complete.status.success() {
        return Ok(None);
    }
    fs::remove_dir_all(folder).ok();
    process::capture(Command::new(base).args(["-m", "venv", "--without-pip"]).arg(folder))
        .context("making a Python environment; is Python's `venv` module installed?")?;
    let packages = workspace::services().join("packages/pip");
    let unpacked = debian::provide(Release::Own, &["python3-pip-whl"], &packages, &|_| {})
        .context("Python came without pip (on Debian, `apt-get install python3-venv` helps)")?;
    let wheels = unpacked.path("/usr/share/python-wheels");
    for entry in fs::read_dir(&wheels)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("pip-") {
            return Ok(Some(path));
        }
    }
    bail!("no pip among {}", wheels.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        for line in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
            let (name, version) = line.split_once("==").unwrap_or_else(|| panic!("`{line}` is not pinned"));
            assert!(!name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()), "{line}");
        }
    }
}
