//! What the project takes from others: licences, banned packages, duplicates and known faults. The rules stand in
//! `deny.toml`, in the format of cargo-deny, which a person may run as well.

use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::semver::Version;
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::testing::runner::cargo;
use crate::{process, workspace};

pub(crate) mod advisories;

/// The rules; what this program does not read is cargo-deny's business.
#[derive(Debug, Deserialize)]
pub(crate) struct Policy {
    pub(crate) advisories: AdvisoryRules,
    licenses: LicenceRules,
    bans: BanRules,
}

/// Which known faults are accepted, and where faults are published.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AdvisoryRules {
    pub(crate) db_urls: Vec<String>,
    #[serde(default)]
    pub(crate) ignore: Vec<Ignored>,
}

/// A known fault that does not touch us.
#[derive(Debug, Deserialize)]
pub(crate) struct Ignored {
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
struct LicenceRules {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<LicenceException>,
}

#[derive(Debug, Deserialize)]
struct LicenceException {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct BanRules {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Banned only when there is more than one version of it.
    #[serde(default)]
    deny_multiple_versions: bool,
    #[serde(default)]
    reason: String,
}

/// A package that is compiled on some platform with some features of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    licence: String,
}

impl Policy {
    /// The rules of the workspace.
    pub(crate) fn load() -> Result<Self> {
        let text = fs::read_to_string(workspace::root().join("deny.toml")).context("reading deny.toml")?;
        toml::from_str(&text).context("reading deny.toml")
    }

    /// Every package whose licence is not allowed.
    pub(crate) fn licences(&self, packages: &[Package]) -> Result<Vec<String>> {
        let allowed = licensees(&self.licenses.allow)?;
        let mut found = Vec::new();
        for package in packages {
            let mut allowed = allowed.clone();
            for exception in self.licenses.exceptions.iter().filter(|exception| exception.name == package.name) {
                allowed.extend(licensees(&exception.allow)?);
            }
            if let Some(fault) = licence_fault(package, &allowed) {
                found.push(format!("{} {}: {fault}", package.name, package.version));
            }
        }
        Ok(found)
    }

    /// Every package that is banned, or there twice although it must not.
    pub(crate) fn bans(&self, packages: &[Package]) -> Vec<String> {
        let mut found = Vec::new();
        for ban in &self.bans.deny {
            let versions: Vec<String> = packages
                .iter()
                .filter(|package| package.name == ban.name)
                .map(|package| package.version.to_string())
                .collect();
            let limit = usize::from(ban.deny_multiple_versions);
            if versions.len() > limit {
                found.push(format!("{} {}: {}", ban.name, versions.join(" and "), ban.reason));
            }
        }
        found
    }
}

/// Every package from outside that any platform, feature or test of ours compiles.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let mut tree = cargo(&["tree", "--workspace", "--all-features", "--target", "all", "--locked"]);
    tree.args(["--edges", "normal,build,dev", "--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"]);
    let mut packages = parse_tree(&process::capture(&mut tree)?)?;
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// Lines of `name vVERSION|LICENCE`; members of the workspace have their folder behind the version.
fn parse_tree(text: &str) -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (package, licence) = line.split_once('|').with_context(|| format!("`{line}` has no licence column"))?;
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default();
        let version = words.next().and_then(|word| word.strip_prefix('v'));
        let version = version.with_context(|| format!("`{line}` has no version"))?;
        if words.any(|word| word.starts_with("(/")) {
            continue;
        }
        packages.push(Package {
            name: name.to_owned(),
            version: version.parse().with_context(|| format!("the version in `{line}`"))?,
            licence: licence.to_owned(),
        });
    }
    if packages.is_empty() {
        bail!("cargo names no package");
    }
    Ok(packages)
}

fn licensees(names: &[String]) -> Result<Vec<Licensee>> {
    names
        .iter()
        .map(|name| Licensee::parse(name).with_context(|| format!("the licence `{name}` in deny.toml")))
        .collect()
}

fn licence_fault(package: &Package, allowed: &[Licensee]) -> Option<String> {
    if package.licence.is_empty() {
        return Some("it names no licence".to_owned());
    }
    // Old manifests write `MIT/Apache-2.0`.
    let Ok(expression) = Expression::parse_mode(&package.licence, ParseMode::LAX) else {
        return Some(format!("`{}` is no licence expression", package.licence));
    };
    let content = expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)));
    (!content).then(|| format!("`{}` is not allowed", package.licence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, licence: &str) -> Package {
        Package { name: name.into(), version: version.parse().unwrap(), licence: licence.into() }
    }

    fn policy() -> Policy {
        toml::from_str(
            r#"
            [advisories]
            db-urls = []
            [licenses]
            allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
            exceptions = [{ crate = "roots", allow = ["CDLA-Permissive-2.0"] }]
            [bans]
            deny = [
                { crate = "ring", reason = "one crypto provider" },
                { crate = "rustls", deny-multiple-versions = true, reason = "one TLS stack" },
            ]
            "#,
        )
        .unwrap()
    }

    #[track_caller]
    fn licence(package: &Package, allowed: bool) {
        let found = policy().licences(std::slice::from_ref(package)).unwrap();
        assert_eq!(found.is_empty(), allowed, "{package:?}: {found:?}");
    }

    #[test]
    fn one_allowed_licence_of_a_choice_is_enough() {
        licence(&package("a", "1.0.0", "MIT OR GPL-3.0-only"), true);
        licence(&package("a", "1.0.0", "GPL-3.0-only"), false);
        licence(&package("a", "1.0.0", "MIT/Apache-2.0"), true);
    }

    #[test]
    fn all_licences_of_a_sum_are_needed() {
        licence(&package("a", "1.0.0", "MIT AND BSD-3-Clause"), false);
        licence(&package("a", "1.0.0", "MIT AND Apache-2.0 WITH LLVM-exception"), true);
    }

    #[test]
    fn an_exception_holds_for_its_package_alone() {
        licence(&package("roots", "1.0.0", "CDLA-Permissive-2.0"), true);
        licence(&package("branches", "1.0.0", "CDLA-Permissive-2.0"), false);
    }

    #[test]
    fn no_licence_and_nonsense_are_refused() {
        licence(&package("a", "1.0.0", ""), false);
        licence(&package("a", "1.0.0", "as you like"), false);
    }

    #[test]
    fn a_banned_package_is_found_and_a_single_version_is_not() {
        let clean = [package("rustls", "0.23.0", "MIT"), package("ring-like", "1.0.0", "MIT")];
        assert_eq!(policy().bans(&clean), Vec::<String>::new());
        let found = policy().bans(&[
            package("ring", "0.17.0", "ISC"),
            package("rustls", "0.22.0", "MIT"),
            package("rustls", "0.23.0", "MIT"),
        ]);
        assert_eq!(found, ["ring 0.17.0: one crypto provider", "rustls 0.22.0 and 0.23.0: one TLS stack"]);
    }

    #[test]
    fn members_of_the_workspace_are_left_out_of_the_tree() {
        let found =
            parse_tree("api v0.1.0 (/w/bin/api)|MIT\n\nserde v1.0.2|MIT OR Apache-2.0\nx v1.0.0 (proc-macro)|MIT\n");
        let names: Vec<_> = found.unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["serde", "x"]);
        assert!(parse_tree("serde|MIT").is_err());
    }

    #[test]
    fn the_workspace_s_own_rules_can_be_read() {
        let policy = Policy::load().unwrap();
        for name in ["ring", "openssl", "native-tls"] {
            assert!(policy.bans.deny.iter().any(|ban| ban.name == name), "{name} is not banned");
        }
        licensees(&policy.licenses.allow).unwrap();
    }
}
