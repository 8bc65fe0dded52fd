//! Programs from Debian's packages without installing them and without root: downloaded with an apt state of our own,
//! unpacked below `target/services/packages`, started from there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::{process, settings};
use sources::Source;

mod sources;

/// Which release the packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// The machine's own: only what is missing here is fetched, the rest is the machine's.
    Own,
    /// Debian's unstable: everything down to the C library is fetched, because nothing here need fit.
    Unstable,
}

/// Packages that were unpacked, and how a program among them is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unpacked {
    /// What would be `/` had the packages been installed.
    pub(crate) root: PathBuf,
    /// The packages' own program loader, when their C library is not the machine's.
    loader: Option<PathBuf>,
    /// Folders with shared libraries.
    libraries: Vec<PathBuf>,
    /// Name and version of each package.
    pub(crate) packages: Vec<String>,
}

impl Unpacked {
    /// A file among the packages, named as if they had been installed.
    pub(crate) fn path(&self, installed: &str) -> PathBuf {
        self.root.join(installed.trim_start_matches('/'))
    }

    /// Starts a program among the packages, named as if they had been installed.
    pub(crate) fn command(&self, installed: &str) -> Command {
        let program = self.path(installed);
        let libraries = std::env::join_paths(&self.libraries).unwrap_or_default();
        if let Some(loader) = &self.loader {
            let mut command = Command::new(loader);
            command.arg("--library-path").arg(libraries).arg(program);
            command
        } else {
            let mut command = Command::new(program);
            if !self.libraries.is_empty() {
                command.env("LD_LIBRARY_PATH", libraries);
            }
            command
        }
    }

    fn unpack(release: Release, archives: &[PathBuf], root: PathBuf) -> Result<Self> {
        let mut packages = Vec::new();
        for archive in archives {
            let name = package_name(archive);
            // Another version of the machine's C library beside the machine's own loader does not work.
            if release == Release::Own && name.starts_with("libc6_") {
                continue;
            }
            process::capture(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&root))
                .with_context(|| format!("unpacking {name}"))?;
            packages.push(name);
        }
        let libraries = library_folders(&root)?;
        let loader = match release {
            Release::Own => None,
            Release::Unstable => Some(find_loader(&libraries)?),
        };
        Ok(Self { root, loader, libraries, packages })
    }
}

/// Whether packages can be had on this machine; the error says what is missing.
pub(crate) fn available(release: Release) -> Result<()> {
    for program in ["apt-get", "dpkg-deb"] {
        if settings::program(program).is_none() {
            bail!("`{program}` is not there: this is no Debian");
        }
    }
    sources(release).map(|_| ())
}

/// The packages, unpacked below `folder`: at once when an earlier run has done so, and otherwise downloaded.
/// `say` hears what is being done.
pub(crate) fn provide(release: Release, packages: &[&str], folder: &Path, say: &dyn Fn(&str)) -> Result<Unpacked> {
    let stamp = folder.join("unpacked.json");
    if let Some(ready) = fs::read(&stamp)
        .ok()
        .and_then(|text| serde_json::from_slice::<Unpacked>(&text).ok())
        .filter(|ready| ready.root.is_dir())
    {
        return Ok(ready);
    }
    available(release)?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing what is left in {}", folder.display()))?;
    }
    let apt = Apt::new(release, &folder.join("apt"))?;
    say("reading the package lists");
    apt.run(&["update"])?;
    say("downloading");
    apt.run(&[&["-y", "--download-only", "install"], packages].concat())?;
    let mut archives = files_named(&apt.folder.join("cache/archives"), ".deb")?;
    archives.sort();
    if archives.is_empty() {
        bail!("{} is installed already but not where we looked for its programs", packages.join(", "));
    }
    say("unpacking");
    let root = folder.join("root");
    fs::create_dir_all(&root)?;
    let unpacked = Unpacked::unpack(release, &archives, root)?;
    fs::remove_dir_all(&apt.folder).ok();
    fs::write(&stamp, serde_json::to_vec_pretty(&unpacked)?)?;
    Ok(unpacked)
}

/// apt-get with lists, archives and package status of its own.
struct Apt {
    folder: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn new(release: Release, folder: &Path) -> Result<Self> {
        let list = folder.join("sources.list");
        let status = match release {
            Release::Own => PathBuf::from("/var/lib/dpkg/status"),
            Release::Unstable => folder.join("status"),
        };
        fs::create_dir_all(folder.join("lists/partial"))?;
        fs::create_dir_all(folder.join("cache/archives/partial"))?;
        let lines: Vec<String> = sources(release)?.iter().map(Source::line).collect();
        fs::write(&list, lines.join("\n") + "\n")?;
        if release == Release::Unstable {
            fs::write(&status, "")?;
        }
        let folder = folder.to_owned();
        let option = |name: &str, value: &dyn std::fmt::Display| format!("-o{name}={value}");
        let mut options = vec![
            option("Dir::State", &folder.display()),
            option("Dir::State::lists", &folder.join("lists").display()),
            option("Dir::State::status", &status.display()),
            option("Dir::Cache", &folder.join("cache").display()),
            option("Dir::Etc::SourceList", &list.display()),
            option("Dir::Etc::SourceParts", &"-"),
            option("APT::Install-Recommends", &"false"),
            option("APT::Get::List-Cleanup", &"false"),
            option("Acquire::Languages", &"none"),
            option("Acquire::Retries", &"3"),
            // As root, apt would give the download to a user who cannot write here.
            option("APT::Sandbox::User", &"root"),
            option("Debug::NoLocking", &"true"),
            "-qq".to_owned(),
        ];
        if release == Release::Unstable {
            // A mirror that has stood still for a while serves packages that are signed all the same, and unstable's
            // lists are valid for a week only. For a server that tests use and nobody else reaches, old is good enough.
            options.push(option("Acquire::Check-Valid-Until", &"false"));
        }
        Ok(Self { folder, options })
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("apt-get");
        command.args(&self.options).args(arguments);
        command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        let output = process::output(&mut command)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`apt-get {}`: {}", arguments.join(" "), process::tail(&said, 6));
        }
        Ok(())
    }
}

/// The package sources for a release, all of them from the machine's own configuration.
fn sources(release: Release) -> Result<Vec<Source>> {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = sources::field(&system, "VERSION_CODENAME").unwrap_or_else(|| "sid".to_owned());
    let own: Vec<Source> = sources::of_this_machine().into_iter().filter(|source| source.serves(&codename)).collect();
    match release {
        Release::Own if own.is_empty() => bail!("apt's sources on this machine name no archive of `{codename}`"),
        Release::Own => Ok(own),
        Release::Unstable => {
            let distribution = sources::field(&system, "ID");
            if distribution.as_deref() != Some("debian") {
                bail!("Debian's unstable packages need apt sources of a Debian");
            }
            let main = own
                .iter()
                .find(|source| source.suite == codename && source.components.iter().any(|part| part == "main"))
                .ok_or_else(|| anyhow!("apt's sources on this machine name no archive of `{codename}`"))?;
            Ok(vec![main.unstable()])
        }
    }
}

fn package_name(archive: &Path) -> String {
    archive.file_stem().unwrap_or_default().to_string_lossy().replace("%3a", ":")
}

/// Every folder below the usual two that holds a shared library.
fn library_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.join("usr/lib"), root.join("lib")];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut holds_library = false;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() && !name.contains("gconv") && name != "plugin" {
                open.push(entry.path());
            } else if name.contains(".so.") || name.starts_with("ld-linux") {
                holds_library = true;
            }
        }
        if holds_library {
            found.push(folder);
        }
    }
    found.sort();
    Ok(found)
}

fn find_loader(libraries: &[PathBuf]) -> Result<PathBuf> {
    for folder in libraries {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("ld-linux") && name.contains(".so") {
                return Ok(path);
            }
        }
    }
    bail!("the packages hold no program loader")
}

fn files_named(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_c_library_is_started_through_its_own_loader() {
        let unpacked = Unpacked {
            root: "/p/root".into(),
            loader: Some("/p/root/usr/lib/ld-linux.so.2".into()),
            libraries: vec!["/p/root/usr/lib/a".into(), "/p/root/usr/lib/b".into()],
            packages: vec![],
        };
        let command = unpacked.command("/usr/sbin/mysqld");
        assert_eq!(
            process::describe(&command),
            "ld-linux.so.2 --library-path /p/root/usr/lib/a:/p/root/usr/lib/b /p/root/usr/sbin/mysqld"
        );
    }

    #[test]
    fn folders_with_shared_libraries_are_found_and_plugins_left_out() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "usr/lib/x86_64-linux-gnu/libssl.so.3",
            "usr/lib/x86_64-linux-gnu/gconv/a.so.1",
            "usr/lib/mysql/private/libprotobuf.so.1.2",
            "usr/lib/mysql/plugin/auth.so",
            "usr/share/doc/x",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let folders = library_folders(root.path()).unwrap();
        let names: Vec<_> =
            folders.iter().map(|folder| folder.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["usr/lib/mysql/private", "usr/lib/x86_64-linux-gnu"]);
    }

    #[test]
    fn what_was_unpacked_before_is_not_fetched_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let before = Unpacked { root, loader: None, libraries: vec![], packages: vec!["nginx_1.22".into()] };
        fs::write(folder.path().join("unpacked.json"), serde_json::to_vec(&before).unwrap()).unwrap();
        let again = provide(Release::Own, &["no-such-package"], folder.path(), &|_| {}).unwrap();
        assert_eq!(again, before);
    }
}
