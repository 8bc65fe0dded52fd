//! What is made of a model for others to read: texts in many formats and what is doubtful in it. None of it grows beyond a size.

use std::io::{self, Write};
use std::sync::Arc;

use schema_export::{ExportError, Exporter, Exporters, Omission};
use schema_lint::{Finding, Lint, Lints};
use schema_model::{Database, Partitioning, Relation};
use serde::Serialize;
use serde_json::json;

use crate::Plugins;

/// The most bytes of what is made of one model.
const MOST: usize = 64 << 20;
/// The most bytes that the names of a model may come to, were all as long as the longest. Texts repeat names: one of a megabyte that
/// a hundred thousand keys lead to would fill a disk.
const MOST_OF_NAMES: usize = 512 << 20;

/// Who writes models, and who judges them.
#[derive(Debug, Clone)]
pub(crate) struct Exports {
    exporters: Exporters,
    lints: Lints,
}

/// A model in another format.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) omissions: Vec<Omission>,
}

/// Why nothing was made of a model.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportFailure {
    /// The format has to know the engine, and does not.
    #[error("it is not written for databases of `{0}`")]
    NotForEngine(String),
    /// There would be too much of it.
    #[error("it would be larger than {} MiB", MOST >> 20)]
    TooLarge,
    /// An exporter could not do it.
    #[error("it could not be written")]
    Failed(#[source] ExportError),
}

impl Exports {
    pub(crate) fn new(plugins: &Plugins) -> Self {
        Self { exporters: plugins.exporters.clone(), lints: plugins.lints.clone() }
    }

    /// Every format, whatever engine it is for.
    pub(crate) fn formats(&self) -> Vec<&str> {
        self.exporters.formats()
    }

    pub(crate) fn exporter(&self, format: &str) -> Option<Arc<dyn Exporter>> {
        self.exporters.get(format).cloned()
    }

    /// The formats in which databases of an engine are written.
    pub(crate) fn formats_for(&self, engine: &str) -> Vec<&str> {
        let exporter = |format: &&str| self.exporters.get(format);
        self.formats().into_iter().filter(|format| exporter(format).is_some_and(|one| knows(&**one, engine))).collect()
    }

    pub(crate) fn lints(&self) -> &Lints {
        &self.lints
    }

    /// The model as an exporter writes it. Large ones take a while.
    pub(crate) fn write(exporter: &dyn Exporter, database: &Database) -> Result<Written, ExportFailure> {
        if !is_moderate(database) {
            return Err(ExportFailure::TooLarge);
        }
        let export = exporter.export(database).map_err(|error| match error {
            ExportError::UnknownEngine { engine, .. } => ExportFailure::NotForEngine(engine),
            error => ExportFailure::Failed(error),
        })?;
        if export.text.len() > MOST {
            return Err(ExportFailure::TooLarge);
        }
        Ok(Written { text: export.text, omissions: export.omissions })
    }

    /// What the rules find in a model, or one of them. Large ones take a while.
    ///
    /// Findings repeat much of the model: they are counted as they are made, so that never more of them exist than may be told.
    pub(crate) fn judge(lints: &Lints, rule: Option<&str>, database: &Database) -> Result<Vec<Finding>, ExportFailure> {
        if !is_moderate(database) {
            return Err(ExportFailure::TooLarge);
        }
        let others: Vec<&str> = lints.all().map(Lint::id).filter(|id| rule.is_some_and(|rule| rule != *id)).collect();
        let lints = others.into_iter().fold(lints.clone(), Lints::without);
        lints.check_within(database, MOST).map_err(|_| ExportFailure::TooLarge)
    }

    /// JSON that is no larger than an export may be.
    pub(crate) fn to_json(body: &impl Serialize) -> Result<Vec<u8>, ExportFailure> {
        let mut bounded = Bounded(Vec::new());
        serde_json::to_writer(&mut bounded, body).map_err(|_| ExportFailure::TooLarge)?;
        Ok(bounded.0)
    }

    /// The same in lines, for people.
    pub(crate) fn to_json_in_lines(body: &impl Serialize) -> Result<String, ExportFailure> {
        let mut bounded = Bounded(Vec::new());
        serde_json::to_writer_pretty(&mut bounded, body).map_err(|_| ExportFailure::TooLarge)?;
        String::from_utf8(bounded.0).map_err(|_| ExportFailure::TooLarge)
    }
}

/// Whether an exporter writes databases of an engine, which it tells of one with nothing in it.
fn knows(exporter: &dyn Exporter, engine: &str) -> bool {
    let empty = json!({ "engine": engine, "version": "", "name": "", "namespaces": [] });
    let Ok(empty) = serde_json::from_value::<Database>(empty) else { return true };
    !matches!(exporter.export(&empty), Err(ExportError::UnknownEngine { .. }))
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many things there are in a model, and how long the longest name is.
#[derive(Default)]
struct Extent {
    things: usize,
    longest: usize,
}

fn is_moderate(database: &Database) -> bool {
    let mut extent = Extent::default();
    for namespace in &database.namespaces {
        extent.note(&namespace.name);
        namespace.sequences.iter().for_each(|sequence| extent.note(&sequence.name));
        namespace.types.iter().for_each(|user_type| extent.note(&user_type.name));
        namespace.routines.iter().for_each(|routine| extent.note(&routine.name));
        namespace.relations.iter().for_each(|relation| extent.relation(relation));
    }
    extent.things.saturating_mul(extent.longest) <= MOST_OF_NAMES
}

impl Extent {
    fn note(&mut self, name: &str) {
        self.things += 1;
        self.longest = self.longest.max(name.len());
    }

    fn relation(&mut self, relation: &Relation) {
        self.note(&relation.name);
        relation.columns.iter().for_each(|column| self.note(&column.name));
        relation.triggers.iter().for_each(|trigger| self.note(&trigger.name));
        relation.indexes.iter().for_each(|index| {
            self.note(&index.name);
            self.things += index.parts.len();
        });
        self.things += relation.checks.len() + relation.unique.len();
        self.things += relation.foreign_keys.iter().map(|key| 1 + key.columns.len()).sum::<usize>();
        relation.partitioning.iter().for_each(|partitioning| self.partitions(partitioning));
    }

    fn partitions(&mut self, partitioning: &Partitioning) {
        for partition in &partitioning.partitions {
            self.note(&partition.name.name);
            self.things += partition.indexes.len() + partition.foreign_keys.len() + partition.checks.len();
            partition.partitioning.iter().for_each(|inner| self.partitions(inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use schema_export::Export;
    use schema_lint::{Evidence, Findings, Object, Severity, TooMany};
    use schema_model::{Namespace, ObjectName, RelationKind};

    use super::*;

    fn database(names: impl Iterator<Item = String>) -> Database {
        let mut namespace = Namespace::new("public");
        namespace.relations = names.map(|name| Relation::new(name, RelationKind::Table)).collect();
        let database = json!({ "engine": "mysql", "version": "8.4", "name": "shop", "namespaces": [namespace] });
        serde_json::from_value(database).expect("a model")
    }

    struct Long;

    impl Exporter for Long {
        fn format(&self) -> &'static str {
            "long"
        }

        fn media_type(&self) -> &'static str {
            "text/plain"
        }

        fn file_extension(&self) -> &'static str {
            "txt"
        }

        fn export(&self, database: &Database) -> Result<Export, ExportError> {
            let text = "x".repeat(MOST + usize::from(database.name == "shop"));
            Ok(Export { text, omissions: Vec::new() })
        }
    }

    #[test]
    fn what_an_engine_has_no_writer_for_is_not_among_its_formats() {
        let exports = Exports::new(&Plugins::compiled());
        assert!(exports.formats().contains(&"sql") && exports.formats_for("postgres").contains(&"sql"));
        let of_mongodb = exports.formats_for("mongodb");
        assert!(of_mongodb.contains(&"svg") && !of_mongodb.contains(&"sql"), "{of_mongodb:?}");
        let sql = exports.exporter("sql").expect("it is there");
        let documents = Database { engine: "mongodb".to_owned(), ..database(std::iter::empty()) };
        let refused = Exports::write(&*sql, &documents).expect_err("no SQL of MongoDB's");
        assert!(matches!(&refused, ExportFailure::NotForEngine(engine) if engine == "mongodb"), "{refused:?}");
    }

    #[test]
    fn what_is_longer_than_an_answer_may_be_is_refused() {
        let refused = Exports::write(&Long, &database(std::iter::empty())).expect_err("one byte too many");
        assert_eq!(refused.to_string(), "it would be larger than 64 MiB");
        let text = "x".repeat(MOST - 2);
        assert_eq!(Exports::to_json(&text).map(|json| json.len()).expect("as long as may be"), MOST);
        assert!(matches!(Exports::to_json(&format!("{text}x")), Err(ExportFailure::TooLarge)));
    }

    /// Each of its findings is a megabyte.
    struct Talkative;

    impl Lint for Talkative {
        fn id(&self) -> &'static str {
            "talkative"
        }

        fn summary(&self) -> &'static str {
            "there is much to be said"
        }

        fn severity(&self) -> Severity {
            Severity::Notice
        }

        fn check(&self, _: &Database, found: &mut Findings) -> Result<(), TooMany> {
            for number in 0.. {
                let object = Object::whole(&ObjectName::new("public", "goods"));
                assert!(number < 100, "it is stopped");
                found.push(self.finding(object, "x".repeat(1 << 20), Evidence::new(), "say less"))?;
            }
            Ok(())
        }
    }

    #[test]
    fn findings_are_refused_before_there_are_too_many() {
        let lints = Lints::empty().register(Arc::new(Talkative));
        let refused = Exports::judge(&lints, None, &database(std::iter::empty())).expect_err("there is no end of them");
        assert!(matches!(refused, ExportFailure::TooLarge), "{refused:?}");
        assert!(Exports::judge(&lints, Some("another"), &database(std::iter::empty())).expect("none").is_empty());
    }

    #[test]
    fn names_that_would_be_repeated_without_end_are_refused_before_anything_is_made() {
        let many = || (0..1100).map(|number| format!("t{number}"));
        assert!(is_moderate(&database(many())));
        let long = database(many().chain(["x".repeat(500_000)]));
        assert!(!is_moderate(&long));
        assert!(matches!(Exports::judge(&Lints::builtin(), None, &long), Err(ExportFailure::TooLarge)));
        assert!(matches!(Exports::write(&Long, &long), Err(ExportFailure::TooLarge)));
        assert!(is_moderate(&database(std::iter::once("x".repeat(500_000)))));
    }
}
