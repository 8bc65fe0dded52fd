//! Published faults of packages that we compile, in the format of the `RustSec` database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use cargo_metadata::semver::VersionReq;
use serde::Deserialize;

use super::{AdvisoryRules, Package};
use crate::{process, settings, workspace};

/// How long fetching the database may take.
const LIMIT: Duration = Duration::from_secs(90);

/// One published fault.
#[derive(Debug, Deserialize)]
struct Document {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Debug, Deserialize)]
struct Advisory {
    id: String,
    package: String,
    withdrawn: Option<String>,
    /// `unmaintained`, `unsound` or `notice`; a vulnerability has none.
    informational: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

/// What the database says about our packages.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// How many documents were read.
    pub(crate) read: usize,
    /// Vulnerabilities and unsound code.
    pub(crate) faults: Vec<String>,
    /// Packages that nobody looks after, and remarks.
    pub(crate) remarks: Vec<String>,
}

/// Fetches the database, or brings a copy up to date. `BINDERY_ADVISORY_DB` names a folder that is there already.
pub(crate) fn fetch(rules: &AdvisoryRules) -> Result<PathBuf> {
    if let Some(folder) = settings::variable("BINDERY_ADVISORY_DB") {
        return Ok(folder.into());
    }
    let url = rules.db_urls.first().context("deny.toml names no database of advisories")?;
    let folder = workspace::provided().join("advisory-db");
    let mut git = Command::new("git");
    // Nobody is there to answer a question, and a line that gives nothing is given up.
    git.env("GIT_TERMINAL_PROMPT", "0").args(["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20"]);
    if folder.join(".git").is_dir() {
        git.arg("-C").arg(&folder).args(["pull", "--quiet", "--ff-only", "--depth", "1"]);
    } else {
        fs::remove_dir_all(&folder).ok();
        git.args(["clone", "--quiet", "--depth", "1", url]).arg(&folder);
    }
    process::capture_within(&mut git, LIMIT)?;
    Ok(folder)
}

/// Looks our packages up in the database.
pub(crate) fn look_up(database: &Path, packages: &[Package], rules: &AdvisoryRules) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    names.dedup();
    for name in names {
        let Ok(entries) = fs::read_dir(database.join("crates").join(name)) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let document = parse(&text).with_context(|| format!("reading {}", path.display()))?;
            findings.read += 1;
            for package in packages.iter().filter(|package| document.touches(package)) {
                if rules.ignore.iter().any(|ignored| ignored.id == document.advisory.id) {
                    continue;
                }
                let what = document.advisory.informational.as_deref().unwrap_or("vulnerability");
                let line = format!("{} {}: {} ({what})", package.name, package.version, document.advisory.id);
                if matches!(what, "vulnerability" | "unsound") {
                    findings.faults.push(line);
                } else {
                    findings.remarks.push(line);
                }
            }
        }
    }
    Ok(findings)
}

impl Document {
    fn touches(&self, package: &Package) -> bool {
        let safe = |versions: &[VersionReq]| versions.iter().any(|range| range.matches(&package.version));
        self.advisory.withdrawn.is_none()
            && self.advisory.package == package.name
            && !safe(&self.versions.patched)
            && !safe(&self.versions.unaffected)
    }
}

/// A document begins with its facts in a fenced block of TOML.
fn parse(text: &str) -> Result<Document> {
    let (_, rest) = text.split_once("```toml").context("no block of TOML")?;
    let (facts, _) = rest.split_once("```").context("the block of TOML has no end")?;
    Ok(toml::from_str(facts)?)
}

#[cfg(test)]
mod tests {
    use super::super::Ignored;
    use super::*;

    const FAULT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"glass\"\n\
                         date = \"2099-01-01\"\n[versions]\npatched = [\">= 1.2.3\"]\nunaffected = [\"< 1.0.0\"]\n\
                         ```\n# It breaks\nWhen dropped.\n";

    fn look(version: &str, text: &str, ignore: &[&str]) -> Findings {
        let database = tempfile::tempdir().unwrap();
        let folder = database.path().join("crates/glass");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("RUSTSEC-2099-0001.md"), text).unwrap();
        let package = Package { name: "glass".into(), version: version.parse().unwrap(), licence: "MIT".into() };
        let rules = AdvisoryRules {
            db_urls: vec![],
            ignore: ignore.iter().map(|id| Ignored { id: (*id).to_owned() }).collect(),
        };
        look_up(database.path(), &[package], &rules).unwrap()
    }

    #[test]
    fn a_touched_version_is_found_and_others_are_not() {
        assert_eq!(look("1.1.0", FAULT, &[]).faults, ["glass 1.1.0: RUSTSEC-2099-0001 (vulnerability)"]);
        assert!(look("1.2.3", FAULT, &[]).faults.is_empty());
        assert!(look("0.9.0", FAULT, &[]).faults.is_empty());
    }

    #[test]
    fn what_is_ignored_or_withdrawn_is_passed_over() {
        assert!(look("1.1.0", FAULT, &["RUSTSEC-2099-0001"]).faults.is_empty());
        let withdrawn = FAULT.replace("date =", "withdrawn = \"2099-02-02\"\ndate =");
        assert!(look("1.1.0", &withdrawn, &[]).faults.is_empty());
    }

    #[test]
    fn a_package_without_a_keeper_is_a_remark() {
        let orphan = FAULT.replace("date =", "informational = \"unmaintained\"\ndate =");
        let findings = look("1.1.0", &orphan, &[]);
        assert!(findings.faults.is_empty());
        assert_eq!(findings.remarks.len(), 1);
    }

    #[test]
    fn unsound_code_is_a_fault() {
        let unsound = FAULT.replace("date =", "informational = \"unsound\"\ndate =");
        assert_eq!(look("1.1.0", &unsound, &[]).faults.len(), 1);
    }
}
