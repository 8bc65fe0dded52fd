//! LLVM's tools that read profiles; they must be of the compiler's own major version.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::llvm_major;
use crate::debian::{self, Release, Unpacked};
use crate::{process, settings, workspace};

/// `llvm-profdata` and `llvm-cov`.
pub(super) enum Tools {
    /// In this folder, with this behind their names.
    Installed(PathBuf, String),
    Unpacked(Unpacked, u32),
}

impl Tools {
    /// From the toolchain, from the machine, or from Debian's packages.
    pub(super) fn find() -> Result<Self> {
        let major = llvm_major()?;
        let sysroot = process::capture(Command::new("rustc").args(["--print", "target-libdir"]))?;
        let beside = Path::new(sysroot.trim()).with_file_name("bin");
        let mut candidates =
            vec![(beside, String::new()), (PathBuf::from(format!("/usr/lib/llvm-{major}/bin")), String::new())];
        for folder in settings::search_path() {
            candidates.push((folder.clone(), format!("-{major}")));
            candidates.push((folder, String::new()));
        }
        for (folder, suffix) in candidates {
            let tools = Self::Installed(folder, suffix);
            if tools.are_of(major) {
                return Ok(tools);
            }
        }
        let package = format!("llvm-{major}");
        let folder = workspace::services().join("packages").join(&package);
        let unpacked = debian::provide(Release::Unstable, &[&package], &folder, &|_| {})
            .context("LLVM's tools; `rustup component add llvm-tools` gives them as well")?;
        Ok(Self::Unpacked(unpacked, major))
    }

    pub(super) fn command(&self, name: &str) -> Command {
        match self {
            Self::Installed(folder, suffix) => Command::new(folder.join(format!("{name}{suffix}"))),
            Self::Unpacked(unpacked, major) => unpacked.command(&format!("/usr/lib/llvm-{major}/bin/{name}")),
        }
    }

    fn are_of(&self, major: u32) -> bool {
        ["llvm-profdata", "llvm-cov"].iter().all(|name| {
            let mut command = self.command(name);
            Path::new(command.get_program()).is_file()
                && process::capture(command.arg("--version"))
                    .is_ok_and(|text| text.contains(&format!("LLVM version {major}.")))
        })
    }
}
