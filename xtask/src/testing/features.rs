//! What a team that wants one engine alone has to compile.

use anyhow::{Result, bail};

use super::runner::cargo;
use crate::process;

/// The engines that are looked at, each with its driver.
const ALONE: [(&str, &str); 2] = [("mysql", "sqlx-mysql"), ("mongodb", "mongodb")];

/// Packages that an engine's feature must not bring unless they are its own driver: other drivers, and the cloud. A resolver for SRV
/// records is a feature of its own.
const FORBIDDEN: [&str; 15] = [
    "sqlx-mysql",
    "sqlx-postgres",
    "sqlx-sqlite",
    "libsqlite3-sys",
    "tiberius",
    "sea-orm",
    "redis",
    "mongodb",
    "hickory-resolver",
    "hickory-net",
    "aws-config",
    "aws-credential-types",
    "aws-sdk-",
    "aws-sigv4",
    "aws-smithy-",
];

/// Asks cargo what `connection-manager` with one engine alone would compile; says how many packages that are.
pub(crate) fn check() -> Result<String> {
    let mut told = Vec::new();
    for (feature, driver) in ALONE {
        let mut tree = cargo(&["tree", "--package", "connection-manager", "--no-default-features"]);
        tree.args(["--features", feature, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
        let text = process::capture(&mut tree)?;
        let mut packages: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        packages.sort_unstable();
        packages.dedup();
        judge(feature, driver, &packages)?;
        told.push(format!("{} packages with `{feature}` alone", packages.len()));
    }
    Ok(format!("{}, no other driver among them", told.join(", ")))
}

fn judge(feature: &str, driver: &str, packages: &[&str]) -> Result<()> {
    if !packages.contains(&driver) {
        bail!("`connection-manager` with `{feature}` does not bring its driver `{driver}`");
    }
    let unwanted: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| *package != driver)
        .filter(|package| {
            FORBIDDEN.iter().any(|name| package == name || name.ends_with('-') && package.starts_with(name))
        })
        .collect();
    if unwanted.is_empty() {
        Ok(())
    } else {
        bail!("`connection-manager` with `{feature}` alone compiles {}", unwanted.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_mysql(packages: &[&str]) -> Result<()> {
        judge("mysql", "sqlx-mysql", packages)
    }

    #[test]
    fn the_driver_itself_is_needed() {
        assert!(with_mysql(&["sqlx-core", "sqlx-mysql"]).is_ok());
        assert!(with_mysql(&["sqlx-core"]).is_err());
    }

    #[test]
    fn another_driver_and_the_cloud_are_found() {
        let error = with_mysql(&["aws-sdk-secretsmanager", "mongodb", "sqlx-mysql", "tiberius"]).unwrap_err();
        assert!(error.to_string().contains("aws-sdk-secretsmanager, mongodb, tiberius"));
        assert!(judge("mongodb", "mongodb", &["mongodb", "hickory-resolver"]).is_err());
    }

    #[test]
    fn the_crypto_library_is_no_cloud() {
        assert!(with_mysql(&["aws-lc-rs", "sqlx-mysql"]).is_ok());
    }
}
