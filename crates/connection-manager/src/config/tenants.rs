use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared_kernel::TenantId;

use super::duration;
use super::effective::text;
use super::section::Section;

/// How often a file of tenants is looked at when nothing else is said.
const RELOAD: Duration = Duration::from_secs(10);

/// The `[tenants]` table: who the tenants are. Nobody else gets a connection that is kept per tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantsConfig {
    /// Those that the configuration names.
    pub names: BTreeSet<TenantId>,
    /// A file with further ones.
    pub file: Option<PathBuf>,
    /// How often the file is looked at again. `None`: never.
    pub reload: Option<Duration>,
    present: bool,
}

/// A file of tenants that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TenantFileError {
    /// It cannot be read.
    #[error("the file of tenants {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is no tenant's name.
    #[error("{}:{line}: {name:?} is no tenant's name: 1 to 64 of a-z, 0-9, `-` and `_`, beginning with a letter or a digit", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        name: String,
    },
}

impl TenantsConfig {
    /// These and no others.
    pub fn of(names: impl IntoIterator<Item = TenantId>) -> Self {
        Self { names: names.into_iter().collect(), present: true, ..Self::default() }
    }

    /// Reads the table out of a document's top level. Faults go to the section's reader, those of the file too.
    pub fn read(root: &Section<'_>) -> Self {
        let section = root.section("tenants");
        let mut names = BTreeSet::new();
        for name in section.texts("names").unwrap_or_default() {
            match name.parse() {
                Ok(name) => drop(names.insert(name)),
                Err(error) => section.fault("names", format!("{name:?}: {error}")),
            }
        }
        let file = section.path("file");
        if let Some(Err(error)) = file.as_deref().map(read_file) {
            let reason = std::error::Error::source(&error).map(|reason| format!(": {reason}")).unwrap_or_default();
            section.fault("file", format!("{error}{reason}"));
        }
        let reload = section.duration("reload").unwrap_or(RELOAD);
        let present = section.is_present();
        Self { names, file, reload: Some(reload).filter(|time| !time.is_zero()), present }
    }

    /// Whether the configuration has such a table.
    pub fn is_present(&self) -> bool {
        self.present
    }

    /// Every tenant that there is now: those that the configuration names, and those in the file. Reads the file anew.
    ///
    /// # Errors
    /// [`TenantFileError`]
    pub fn list(&self) -> Result<BTreeSet<TenantId>, TenantFileError> {
        let mut tenants = self.names.clone();
        if let Some(file) = &self.file {
            tenants.extend(read_file(file)?);
        }
        Ok(tenants)
    }

    /// The table as it is in effect, as TOML; nothing where there is none.
    pub fn effective(&self) -> impl fmt::Display + '_ {
        Shown(self)
    }
}

/// One name a line; what follows a `#` is a remark.
fn read_file(path: &Path) -> Result<BTreeSet<TenantId>, TenantFileError> {
    let unreadable = |source| TenantFileError::Unreadable { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let names = text.lines().enumerate().filter_map(|(index, line)| {
        let name = line.split('#').next().unwrap_or_default().trim();
        (!name.is_empty()).then_some((index + 1, name))
    });
    names
        .map(|(line, name)| {
            let shown = name.chars().take(80).collect();
            name.parse().map_err(|_| TenantFileError::Malformed { path: path.to_owned(), line, name: shown })
        })
        .collect()
}

struct Shown<'a>(&'a TenantsConfig);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TenantsConfig { names, file, reload, present } = self.0;
        if !present {
            return Ok(());
        }
        let names: Vec<String> = names.iter().map(|name| text(name.as_str()).to_string()).collect();
        writeln!(f, "[tenants]\nnames = [{}]", names.join(", "))?;
        if let Some(file) = file {
            writeln!(f, "file = {}", text(&file.display().to_string()))?;
            writeln!(f, "reload = \"{}\"", duration::format(reload.unwrap_or_default()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConfigError, Document, Reader};
    use super::*;

    fn read(text: &str) -> Result<TenantsConfig, ConfigError> {
        let document = Document::parse("bindery.toml", text)?;
        let reader = Reader::new(&document);
        let config = TenantsConfig::read(&reader.root());
        reader.finish()?;
        Ok(config)
    }

    fn names(tenants: &BTreeSet<TenantId>) -> Vec<&str> {
        tenants.iter().map(TenantId::as_str).collect()
    }

    #[test]
    fn tenants_come_from_the_table_and_from_a_file_that_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tenants");
        std::fs::write(&file, "# customers\nglobex  # since May\n\ninitech\n").unwrap();
        let text = format!("[tenants]\nnames = [\"acme\"]\nfile = {:?}\nreload = \"1m\"\n", file.display().to_string());
        let config = read(&text).unwrap();
        assert_eq!(names(&config.list().unwrap()), ["acme", "globex", "initech"]);
        let shown = config.effective().to_string();
        assert_eq!(read(&shown).unwrap().effective().to_string(), shown);
        std::fs::write(&file, "hooli\n").unwrap();
        assert_eq!(names(&config.list().unwrap()), ["acme", "hooli"]);
        std::fs::write(&file, "hooli\n../etc\n").unwrap();
        let error = config.list().unwrap_err().to_string();
        assert!(error.contains("tenants:2: \"../etc\" is no tenant's name"), "{error}");
    }

    #[test]
    fn what_is_no_name_is_told_with_its_place() {
        let error =
            read("[tenants]\nnames = [\"acme\", \"../acme\", \"Acme\"]\nfile = \"/nowhere/at/all\"\n").unwrap_err();
        let error = error.to_string();
        for expected in
            ["bindery.toml:2: tenants.names: \"../acme\"", "\"Acme\"", "bindery.toml:3: tenants.file: the file of"]
        {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
    }

    #[test]
    fn without_the_table_there_is_nobody() {
        let config = read("").unwrap();
        assert!(!config.is_present() && config.list().unwrap().is_empty());
        assert_eq!(config.effective().to_string(), "");
    }
}
