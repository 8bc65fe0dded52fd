//! The rules of the workspace's shape, read from what cargo and the sources really say.

use std::path::Path;

use anyhow::Result;

mod dependencies;
mod names;

/// Every way in which the workspace breaks the rules; empty when it keeps them.
pub(crate) fn violations(root: &Path) -> Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let mut found = dependencies::violations(&metadata);
    for package in metadata.packages.iter().filter(|package| is_context(&package.name)) {
        if let Some(folder) = package.manifest_path.parent() {
            found.extend(names::violations(folder.as_std_path(), root)?);
        }
    }
    Ok(found)
}

/// A bounded context is known by its name.
fn is_context(package: &str) -> bool {
    package.ends_with("-context")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_keeps_the_rules() {
        assert_eq!(violations(crate::workspace::root()).unwrap(), Vec::<String>::new());
    }
}
