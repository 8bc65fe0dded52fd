use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::fault::{ConfigError, Fault, Origin};

/// A TOML file with the environment's overrides laid over it; every value knows where it stands.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) file: Arc<str>,
    pub(super) root: Table,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Table(pub(super) BTreeMap<String, Node>);

/// `Debug` prints no value: somebody may have written a secret into the file.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: NodeValue,
}

#[derive(Clone)]
pub(super) enum NodeValue {
    Text(String),
    Integer(i64),
    Float,
    Boolean(bool),
    Array(Vec<Node>),
    Table(Table),
    /// A TOML date or time, which no setting is.
    Other,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            NodeValue::Table(table) => table.fmt(f),
            _ => f.write_str(self.value.type_name()),
        }
    }
}

impl NodeValue {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
            Self::Other => "a date or time",
        }
    }
}

impl Document {
    /// A document without a value; `file` is what messages call it.
    pub fn empty(file: &str) -> Self {
        Self { file: file.into(), root: Table::default() }
    }

    /// Parses a text; `file` is what messages call it.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault of syntax and its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let file: Arc<str> = file.into();
        let lines = Lines::of(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let faults = errors.iter().map(|error| Fault {
                file: Arc::clone(&file),
                origin: error.span().map_or(Origin::Nowhere, |span| Origin::Line(lines.at(span.start))),
                key: String::new(),
                // The message names what was expected and repeats nothing of the text.
                message: error.message().to_owned(),
            });
            return Err(ConfigError(faults.collect()));
        }
        let root = read_table(table.get_ref(), &lines);
        Ok(Self { file, root })
    }

    /// Reads and parses a file.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read or parsed.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(error) => Err(ConfigError(vec![Fault {
                file: file.into(),
                origin: Origin::Nowhere,
                key: String::new(),
                message: format!("cannot be read: {error}"),
            }])),
        }
    }

    /// Lays the process's environment over the document; see [`Document::overlay`].
    #[must_use]
    pub fn overlay_environment(self, prefix: &str) -> Self {
        // Variables that are not UTF-8 are none of ours.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        self.overlay(prefix, variables)
    }

    /// Lays variables over the document: `PREFIX_TABLE__KEY=value` sets `key` in `[table]`.
    ///
    /// A variable counts when it begins with `prefix` and names at least one table, that is, holds a double underscore.
    /// A dash in a key of the file is an underscore in the variable. Which keys exist is found out by whoever reads.
    #[must_use]
    pub fn overlay(mut self, prefix: &str, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            let Some(path) = name.strip_prefix(prefix).filter(|path| path.contains("__")) else { continue };
            let path: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
            if path.iter().all(|part| !part.is_empty()) {
                let origin = Origin::Environment(name.as_str().into());
                self.root.set(&path, Node { origin, value: NodeValue::Text(value) });
            }
        }
        self
    }
}

impl Table {
    fn set(&mut self, path: &[String], node: Node) {
        let Some((first, rest)) = path.split_first() else { return };
        let key = self.0.keys().find(|key| key.replace('-', "_").eq_ignore_ascii_case(first)).unwrap_or(first).clone();
        if rest.is_empty() {
            self.0.insert(key, node);
            return;
        }
        let origin = node.origin.clone();
        let entry = self.0.entry(key).or_insert_with(|| Node { origin, value: NodeValue::Table(Self::default()) });
        if !matches!(entry.value, NodeValue::Table(_)) {
            // Such as `password = …` in the file and `PASSWORD__ENV` in the environment, which wins.
            *entry = Node { origin: node.origin.clone(), value: NodeValue::Table(Self::default()) };
        }
        if let NodeValue::Table(table) = &mut entry.value {
            table.set(rest, node);
        }
    }
}

fn read_table(table: &DeTable<'_>, lines: &Lines) -> Table {
    let nodes = table.iter().map(|(key, value)| {
        let node = Node { origin: Origin::Line(lines.at(key.span().start)), value: read_value(value.get_ref(), lines) };
        (key.get_ref().clone().into_owned(), node)
    });
    Table(nodes.collect())
}

fn read_value(value: &DeValue<'_>, lines: &Lines) -> NodeValue {
    match value {
        DeValue::String(text) => NodeValue::Text(text.clone().into_owned()),
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).map_or(NodeValue::Other, NodeValue::Integer)
        }
        DeValue::Float(_) => NodeValue::Float,
        DeValue::Boolean(boolean) => NodeValue::Boolean(*boolean),
        DeValue::Datetime(_) => NodeValue::Other,
        DeValue::Array(array) => {
            let nodes = array.iter().map(|item| Node {
                origin: Origin::Line(lines.at(item.span().start)),
                value: read_value(item.get_ref(), lines),
            });
            NodeValue::Array(nodes.collect())
        }
        DeValue::Table(table) => NodeValue::Table(read_table(table, lines)),
    }
}

/// Where each line of a text begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
