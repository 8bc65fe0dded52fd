use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::effective::{key as toml_key, secret, text};
use super::section::Section;
use super::suggest;
use crate::credentials::{PasswordSource, environment_variable, read_password_file};
use crate::sealing::{SealingKey, SealingKeys};

const EXPECTED: &str = "expected 32 random bytes in base64, as `openssl rand -base64 32` prints them";
const REMEDY: &str = "write { env = \"VARIABLE\" } or { file = \"PATH\" }";

/// Keys that a configuration names: in a table `keys`, and `key` beside it says which one seals where there are several.
#[derive(Debug, Clone)]
pub struct SealingConfig {
    /// The keys.
    pub keys: Arc<SealingKeys>,
    /// Where each key was read, the one that seals first.
    places: Vec<(String, PasswordSource)>,
}

impl SealingConfig {
    /// Reads `key` and `keys` of a table, and the keys themselves, so that one that cannot be used is told before anything
    /// starts. `None` when their faults leave nothing to work with.
    pub fn read(section: &Section<'_>) -> Option<Self> {
        let table = section.section("keys");
        let names = table.keys();
        let sealing = sealing(section, &names);
        // Every key is looked at, so that every fault is told.
        let read: Vec<_> = names.iter().map(|name| key(&table, name)).collect();
        let sealing = sealing?;
        let mut keys = Vec::new();
        for (name, key) in names.into_iter().zip(read) {
            let (key, place) = key?;
            let place = (name.to_owned(), place);
            if name == sealing { keys.insert(0, (key, place)) } else { keys.push((key, place)) }
        }
        let (keys, places): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        let mut keys = keys.into_iter();
        // A table has no two keys of one name.
        Some(Self { keys: Arc::new(SealingKeys::try_new(keys.next()?, keys).ok()?), places })
    }

    /// One key, out of the content of a file that was read already.
    ///
    /// # Errors
    /// What is wrong with it, in words that hold nothing of it.
    pub fn of_file(name: &str, file: PathBuf, content: &SecretString) -> Result<Self, String> {
        let key = parse(name, content)?;
        let keys = SealingKeys::try_new(key, []).map_err(|error| error.to_string())?;
        Ok(Self { keys: Arc::new(keys), places: vec![(name.to_owned(), PasswordSource::File(file))] })
    }

    /// The names of the keys. The first one seals.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(name, _)| name.as_str())
    }

    /// The places of the keys as the table `name`, without the keys.
    pub fn effective<'a>(&'a self, name: &'a str) -> impl fmt::Display + 'a {
        Shown(self, name)
    }
}

struct Shown<'a>(&'a SealingConfig, &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[{}]", self.1)?;
        self.0.places.iter().try_for_each(|(name, place)| secret(f, &toml_key(name), place))
    }
}

/// The line that says which key seals.
pub(super) fn sealing_line(f: &mut fmt::Formatter<'_>, config: &SealingConfig) -> fmt::Result {
    config.names().next().map_or(Ok(()), |name| writeln!(f, "key = {}", text(name)))
}

/// The name of the key that seals.
fn sealing(section: &Section<'_>, names: &[&str]) -> Option<String> {
    let wanted = section.text("key");
    match (names, wanted) {
        ([], _) => {
            section.fault("keys", format!("missing: with what are the copies sealed? For each key {REMEDY}"));
            None
        }
        ([only], None) if !section.has("key") => Some((*only).to_owned()),
        (_, None) => {
            if !section.has("key") {
                section.fault("key", format!("missing: which one of the keys {} seals?", names.join(", ")));
            }
            None
        }
        (names, Some(wanted)) if !names.contains(&wanted.as_str()) => {
            section.fault("key", suggest::unknown("key", &wanted, names.iter().copied()));
            None
        }
        (_, wanted) => wanted,
    }
}

fn key(table: &Section<'_>, name: &str) -> Option<(SealingKey, PasswordSource)> {
    let (place, text) = named_secret(table, name, "a key")?;
    match parse(name, &text) {
        Ok(key) => Some((key, place)),
        Err(message) => {
            table.fault(name, message);
            None
        }
    }
}

fn parse(name: &str, text: &SecretString) -> Result<SealingKey, String> {
    let bytes = STANDARD.decode(text.expose_secret().trim());
    let bytes = bytes.map_err(|_| format!("{EXPECTED}; this is not base64"))?;
    let bytes: SecretBox<Vec<u8>> = SecretBox::new(Box::new(bytes));
    SealingKey::try_new(name, bytes.expose_secret()).map_err(|error| format!("{error}; {EXPECTED}"))
}

/// Reads a secret that a table holds under a name of its own: its place, `{ env = … }` or `{ file = … }`, and what is there.
/// `what` is what it is called where somebody wrote it into the file. Faults go to the section's reader.
pub fn named_secret(table: &Section<'_>, name: &str, what: &str) -> Option<(PasswordSource, SecretString)> {
    if table.is_text_in_file(name) {
        table.fault(name, format!("{what} does not belong in the file; {REMEDY}"));
        return None;
    }
    if table.is_text_from_environment(name) {
        let text = SecretString::from(table.text(name)?);
        return Some((PasswordSource::Literal(text.clone()), text));
    }
    let source = table.section(name);
    match (source.text("env"), source.path("file")) {
        (Some(variable), None) => {
            let text = environment_variable(&variable);
            if text.is_none() {
                source.fault("env", format!("the environment variable `{variable}` is not set"));
            }
            Some((PasswordSource::Environment(variable), text?))
        }
        (None, Some(file)) => match read_password_file(&file) {
            Ok(text) => Some((PasswordSource::File(file), text)),
            Err(error) => {
                source.fault("file", error.to_string());
                None
            }
        },
        (None, None) => {
            if source.is_present() {
                table.fault(name, REMEDY);
            }
            None
        }
        (Some(_), Some(_)) => {
            table.fault(name, "more than one place is given; keep one");
            None
        }
    }
}

/// Where a secret is, as a line of TOML that holds nothing of it.
pub fn place_of<'a>(name: &'a str, place: &'a PasswordSource) -> impl fmt::Display + 'a {
    struct Line<'a>(&'a str, &'a PasswordSource);
    impl fmt::Display for Line<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            secret(f, &toml_key(self.0), self.1)
        }
    }
    Line(name, place)
}
