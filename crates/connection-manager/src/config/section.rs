use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::document::{Document, Node, NodeValue, Table};
use super::fault::{ConfigError, Fault, Origin};
use super::{duration, suggest};

/// Reads a [`Document`] strictly: what nobody asked for by the end is a fault, and all faults are told together.
#[derive(Debug)]
pub struct Reader<'document> {
    document: &'document Document,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The keys that were asked for, by table.
    asked: BTreeMap<String, BTreeSet<String>>,
    /// Tables whose keys are names that the file invents, such as those of connections.
    open: BTreeSet<String>,
    faults: Vec<Fault>,
}

/// One table of a document, which may be missing; then every value in it is.
#[derive(Debug, Clone)]
pub struct Section<'reader> {
    reader: &'reader Reader<'reader>,
    path: String,
    origin: Origin,
    table: Option<&'reader Table>,
}

impl<'document> Reader<'document> {
    /// A reader that has read nothing.
    pub fn new(document: &'document Document) -> Self {
        Self { document, seen: RefCell::default() }
    }

    /// The document's top level.
    pub fn root(&'document self) -> Section<'document> {
        self.seen.borrow_mut().asked.entry(String::new()).or_default();
        Section { reader: self, path: String::new(), origin: Origin::Nowhere, table: Some(&self.document.root) }
    }

    /// Tells every fault that was met, unknown keys among them.
    ///
    /// # Errors
    /// [`ConfigError`] when there is one, in the order of the file.
    pub fn finish(&self) -> Result<(), ConfigError> {
        let mut seen = self.seen.take();
        let mut unknown = Vec::new();
        self.find_unknown(&seen, "", &self.document.root, &mut unknown);
        seen.faults.extend(unknown);
        seen.faults.sort_by_key(|fault| match &fault.origin {
            Origin::Line(line) => *line,
            Origin::Environment(_) | Origin::Nowhere => usize::MAX,
        });
        seen.faults.dedup();
        if seen.faults.is_empty() { Ok(()) } else { Err(ConfigError(seen.faults)) }
    }

    fn find_unknown(&self, seen: &Seen, path: &str, table: &Table, unknown: &mut Vec<Fault>) {
        let Some(asked) = seen.asked.get(path) else { return };
        for (key, node) in &table.0 {
            let full = join(path, key);
            if asked.contains(key) || seen.open.contains(path) {
                if let NodeValue::Table(inner) = &node.value {
                    self.find_unknown(seen, &full, inner, unknown);
                }
                continue;
            }
            let message = suggest::unknown("key", key, asked.iter().map(String::as_str));
            unknown.push(self.fault(&node.origin, full, message));
        }
    }

    fn fault(&self, origin: &Origin, key: String, message: String) -> Fault {
        Fault { file: Arc::clone(&self.document.file), origin: origin.clone(), key, message }
    }
}

impl<'reader> Section<'reader> {
    /// The keys that the table holds, for tables whose keys the file invents. None of them counts as unknown.
    pub fn keys(&self) -> Vec<&'reader str> {
        let mut seen = self.reader.seen.borrow_mut();
        seen.open.insert(self.path.clone());
        self.table.map(|table| table.0.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// Whether the table stands in the document at all.
    pub fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the table holds `key`.
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// A table within this one, missing or not. A fault when `key` is something else.
    pub fn section(&self, key: &str) -> Section<'reader> {
        let path = join(&self.path, key);
        let (origin, table) = match self.node(key) {
            None => (self.origin.clone(), None),
            Some(Node { origin, value: NodeValue::Table(table) }) => (origin.clone(), Some(table)),
            Some(node) => {
                let _: Option<()> = self.wrong_type(key, node, "a table");
                (node.origin.clone(), None)
            }
        };
        self.reader.seen.borrow_mut().asked.entry(path.clone()).or_default();
        Section { reader: self.reader, path, origin, table }
    }

    /// A string.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.node(key)? {
            Node { value: NodeValue::Text(text), .. } => Some(text.clone()),
            node => self.wrong_type(key, node, "a string"),
        }
    }

    /// A path.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// An integer within what `T` holds.
    pub fn integer<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        let node = self.node(key)?;
        let integer = match (&node.value, &node.origin) {
            (NodeValue::Integer(integer), _) => Some(*integer),
            (NodeValue::Text(text), Origin::Environment(_)) => text.parse().ok(),
            _ => None,
        };
        let Some(integer) = integer else { return self.wrong_type(key, node, "an integer") };
        T::try_from(integer).ok().or_else(|| {
            self.fault(key, format!("{integer} is out of range"));
            None
        })
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        let node = self.node(key)?;
        match (&node.value, &node.origin) {
            (NodeValue::Boolean(boolean), _) => Some(*boolean),
            (NodeValue::Text(text), Origin::Environment(_)) if text == "true" => Some(true),
            (NodeValue::Text(text), Origin::Environment(_)) if text == "false" => Some(false),
            _ => self.wrong_type(key, node, "true or false"),
        }
    }

    /// A span of time such as `"5s"`.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        let node = self.node(key)?;
        match &node.value {
            NodeValue::Text(text) => match duration::parse(text) {
                Ok(duration) => Some(duration),
                Err(error) => {
                    self.fault(key, error.to_string());
                    None
                }
            },
            _ => self.wrong_type(key, node, "a time such as \"5s\""),
        }
    }

    /// An array of strings; from the environment, a list with commas.
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        let node = self.node(key)?;
        match (&node.value, &node.origin) {
            (NodeValue::Array(items), _) => {
                let texts = items.iter().map(|item| match &item.value {
                    NodeValue::Text(text) => Some(text.clone()),
                    _ => self.wrong_type(key, item, "an array of strings"),
                });
                texts.collect()
            }
            (NodeValue::Text(list), Origin::Environment(_)) => {
                Some(list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
            }
            _ => self.wrong_type(key, node, "an array of strings"),
        }
    }

    /// A string, integer or boolean as text, for options that an engine reads itself.
    pub fn scalar(&self, key: &str) -> Option<String> {
        let node = self.node(key)?;
        match &node.value {
            NodeValue::Text(text) => Some(text.clone()),
            NodeValue::Integer(integer) => Some(integer.to_string()),
            NodeValue::Boolean(boolean) => Some(boolean.to_string()),
            _ => self.wrong_type(key, node, "a string, an integer or a boolean"),
        }
    }

    /// Reads a string that must be one of a set of words.
    pub fn word<T: Copy>(&self, key: &str, words: &[(T, &str)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
        if found.is_none() {
            self.fault(key, suggest::unknown("value", &text, words.iter().map(|(_, word)| *word)));
        }
        found
    }

    /// Whether the value stands in the file and is a string. For values that may come from the environment alone.
    pub(super) fn is_text_in_file(&self, key: &str) -> bool {
        self.node(key).is_some_and(|node| {
            matches!(node.value, NodeValue::Text(_)) && !matches!(node.origin, Origin::Environment(_))
        })
    }

    /// Whether the value is a string from the environment.
    pub(super) fn is_text_from_environment(&self, key: &str) -> bool {
        self.node(key).is_some_and(|node| {
            matches!(node.value, NodeValue::Text(_)) && matches!(node.origin, Origin::Environment(_))
        })
    }

    /// Notes a fault of `key`, which may be missing, or a dotted path below this table.
    pub fn fault(&self, key: &str, message: impl Into<String>) {
        let mut origin = self.origin.clone();
        let mut table = self.table;
        for part in key.split('.') {
            let Some(node) = table.and_then(|table| table.0.get(part)) else { break };
            origin = node.origin.clone();
            table = if let NodeValue::Table(inner) = &node.value { Some(inner) } else { None };
        }
        let fault = self.reader.fault(&origin, join(&self.path, key), message.into());
        self.reader.seen.borrow_mut().faults.push(fault);
    }

    fn node(&self, key: &str) -> Option<&'reader Node> {
        let mut seen = self.reader.seen.borrow_mut();
        seen.asked.entry(self.path.clone()).or_default().insert(key.to_owned());
        self.table?.0.get(key)
    }

    fn wrong_type<T>(&self, key: &str, node: &Node, expected: &str) -> Option<T> {
        let message = format!("expected {expected}, found {}", node.value.type_name());
        let fault = self.reader.fault(&node.origin, join(&self.path, key), message);
        self.reader.seen.borrow_mut().faults.push(fault);
        None
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
