//! Linting what lies in `deploy/`, as far as that goes without a container engine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::debian::{self, Release};
use crate::python::Python;
use crate::services::place::Home;
use crate::{process, settings, workspace};

/// nginx as it is installed, or unpacked from the machine's own release.
pub(crate) struct Nginx {
    unpacked: Option<debian::Unpacked>,
    program: PathBuf,
}

impl Nginx {
    /// The program, fetched first when it is not there.
    pub(crate) fn provide() -> Result<Self> {
        let installed = settings::program("nginx").or_else(|| {
            let path = PathBuf::from("/usr/sbin/nginx");
            path.is_file().then_some(path)
        });
        if let Some(program) = installed {
            return Ok(Self { unpacked: None, program });
        }
        let folder = Home::locate()?.packages("nginx");
        let unpacked = debian::provide(Release::Own, &["nginx"], &folder, &|_| {}).context("nginx")?;
        Ok(Self { program: "/usr/sbin/nginx".into(), unpacked: Some(unpacked) })
    }

    /// How it is started: the words of the command, and what it needs in its environment.
    pub(crate) fn arguments(&self) -> (Vec<String>, Vec<(String, String)>) {
        let command = match &self.unpacked {
            Some(unpacked) => unpacked.command(&self.program.to_string_lossy()),
            None => Command::new(&self.program),
        };
        let text = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
        let words = std::iter::once(command.get_program()).chain(command.get_args()).map(text).collect();
        let environment = command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
        (words, environment)
    }
}

/// Lints every file for which there is a linter and says which were used.
pub(crate) fn lint(python: &Python) -> Result<String> {
    let folder = workspace::root().join("deploy");
    let mut faults = Vec::new();
    let mut used = Vec::new();
    let mut lint = |name: &str, command: &mut Command| -> Result<()> {
        let output = process::output(command.current_dir(&folder))?;
        used.push(name.to_owned());
        if !output.status.success() {
            let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
            said.push_str(&String::from_utf8_lossy(&output.stderr));
            faults.push(format!("{name}: {}", process::tail(&said, 20)));
        }
        Ok(())
    };
    lint("yamllint", python.tool("yamllint").args(["--strict", "."]))?;
    lint(
        "the compose schema",
        python.tool("check-jsonschema").args(["--builtin-schema", "vendor.compose-spec", "compose.yaml"]),
    )?;
    lint("hadolint", python.tool("hadolint").arg("Dockerfile"))?;
    for file in nginx_files(&folder)? {
        lint("gixy", python.tool("gixy").arg(&file))?;
    }
    used.dedup();
    if faults.is_empty() { Ok(used.join(", ")) } else { bail!("{}", faults.join("\n")) }
}

/// The main configurations: each includes the parts it needs.
fn nginx_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.join("nginx")).context("reading deploy/nginx")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("nginx") && path.extension().is_some_and(|extension| extension == "conf") {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        bail!("deploy/nginx holds no configuration");
    }
    Ok(found)
}
