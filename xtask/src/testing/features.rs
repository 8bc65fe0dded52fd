//! What a team that wants one engine alone has to compile.

use anyhow::{Result, bail};

use super::runner::cargo;
use crate::process;

/// Packages that `connection-manager` with `mysql` alone must not bring: other drivers, and the cloud.
const FORBIDDEN: [&str; 12] = [
    "sqlx-postgres",
    "sqlx-sqlite",
    "libsqlite3-sys",
    "tiberius",
    "sea-orm",
    "redis",
    "mongodb",
    "aws-config",
    "aws-credential-types",
    "aws-sdk-",
    "aws-sigv4",
    "aws-smithy-",
];

/// Asks cargo what `connection-manager` with `mysql` alone would compile; says how many packages that are.
pub(crate) fn check() -> Result<String> {
    let mut tree = cargo(&["tree", "--package", "connection-manager", "--no-default-features"]);
    tree.args(["--features", "mysql", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let text = process::capture(&mut tree)?;
    let mut packages: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    judge(&packages)?;
    Ok(format!("{} packages with `mysql` alone, no other driver among them", packages.len()))
}

fn judge(packages: &[&str]) -> Result<()> {
    if !packages.contains(&"sqlx-mysql") {
        bail!("`connection-manager` with `mysql` does not bring MySQL's driver");
    }
    let unwanted: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| {
            FORBIDDEN.iter().any(|name| package == name || name.ends_with('-') && package.starts_with(name))
        })
        .collect();
    if unwanted.is_empty() {
        Ok(())
    } else {
        bail!("`connection-manager` with `mysql` alone compiles {}", unwanted.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_itself_is_needed() {
        assert!(judge(&["sqlx-core", "sqlx-mysql"]).is_ok());
        assert!(judge(&["sqlx-core"]).is_err());
    }

    #[test]
    fn another_driver_and_the_cloud_are_found() {
        let error = judge(&["aws-sdk-secretsmanager", "sqlx-mysql", "tiberius"]).unwrap_err();
        assert!(error.to_string().contains("aws-sdk-secretsmanager, tiberius"));
    }

    #[test]
    fn the_crypto_library_is_no_cloud() {
        assert!(judge(&["aws-lc-rs", "sqlx-mysql"]).is_ok());
    }
}
