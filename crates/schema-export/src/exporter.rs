use std::fmt;
use std::sync::Arc;

use schema_model::{Database, ObjectName, Unavailable};
use serde::Serialize;

/// Writes a model in one format.
pub trait Exporter: Send + Sync {
    /// The format's name, by which it is asked for: lower-case ASCII letters, digits and `-`.
    fn format(&self) -> &str;

    /// What the text is called on the web, such as `image/svg+xml`.
    fn media_type(&self) -> &str;

    /// How a file of it ends, without the dot.
    fn file_extension(&self) -> &str;

    /// Which edition of the exporter this is. It is another one whenever the same model may be written differently than before, so that
    /// nobody takes an earlier text for the present one. ASCII letters, digits, `.`, `+` and `-`; that of this crate where nothing is said.
    #[expect(clippy::unnecessary_literal_bound, reason = "an exporter may make its own while the program runs")]
    fn edition(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// Writes the model. The same model is written in the same way each time.
    ///
    /// # Errors
    /// [`ExportError`]; what can be written but for a part is written, and the part is among [`Export::omissions`].
    fn export(&self, database: &Database) -> Result<Export, ExportError>;
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Export {
    /// The whole of it.
    pub text: String,
    /// What is in the model, or known to be in the database, and could not be written.
    pub omissions: Vec<Omission>,
}

/// Something that the format was to tell and does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Omission {
    /// Of what; `None` where it is about the database as a whole.
    pub object: Option<ObjectName>,
    /// Which part of it, such as `column price: default`.
    pub part: String,
    /// Why, for people to read.
    pub reason: String,
}

impl Omission {
    /// A part of an object that was left out.
    pub fn new(object: &ObjectName, part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { object: Some(object.clone()), part: part.into(), reason: reason.into() }
    }
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There is no exporter of this name.
    #[error("no exporter is called `{0}`")]
    UnknownFormat(String),
    /// The format differs from engine to engine, and the model's is none that the exporter knows.
    #[error("format `{format}` is not written for engine `{engine}`")]
    UnknownEngine {
        /// The format that was asked for.
        format: String,
        /// The model's engine.
        engine: String,
    },
    /// Anything else that an exporter from elsewhere meets.
    #[error("format `{format}` could not be written: {reason}")]
    Failed {
        /// The format that was asked for.
        format: String,
        /// What went wrong.
        reason: String,
    },
}

/// The exporters that a program has: the built-in ones, and those that it brings along itself.
#[derive(Clone, Default)]
pub struct Exporters(Vec<Arc<dyn Exporter>>);

impl Exporters {
    /// None.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Those of this crate.
    pub fn builtin() -> Self {
        Self::empty()
            .register(Arc::new(crate::JsonExporter))
            .register(Arc::new(crate::SqlExporter::default()))
            .register(Arc::new(crate::MermaidExporter))
            .register(Arc::new(crate::DbmlExporter))
            .register(Arc::new(crate::PlantUmlExporter))
            .register(Arc::new(crate::DotExporter))
            .register(Arc::new(crate::MarkdownExporter))
            .register(Arc::new(crate::SvgExporter::default()))
    }

    /// Adds one. For a format that another one writes as well, the last one counts.
    #[must_use]
    pub fn register(mut self, exporter: Arc<dyn Exporter>) -> Self {
        self.0.push(exporter);
        self
    }

    /// The formats, each once, in the order in which they became known.
    pub fn formats(&self) -> Vec<&str> {
        let mut formats: Vec<&str> = Vec::new();
        for exporter in &self.0 {
            if !formats.contains(&exporter.format()) {
                formats.push(exporter.format());
            }
        }
        formats
    }

    /// The exporter that writes a format.
    pub fn get(&self, format: &str) -> Option<&Arc<dyn Exporter>> {
        self.0.iter().rev().find(|exporter| exporter.format() == format)
    }

    /// Writes the model in a format.
    ///
    /// # Errors
    /// As [`Exporter::export`], and `UnknownFormat` where nobody writes it.
    pub fn export(&self, format: &str, database: &Database) -> Result<Export, ExportError> {
        self.get(format).ok_or_else(|| ExportError::UnknownFormat(format.to_owned()))?.export(database)
    }
}

impl fmt::Debug for Exporters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exporters").field(&self.formats()).finish()
    }
}

/// What a picture of tables does not show.
pub(crate) fn not_drawn(database: &Database) -> Vec<Omission> {
    let collections = database.collections();
    collections.map(|(name, _)| Omission::new(&name, "collection", "the format knows tables alone")).collect()
}

/// Why something could not be read, for people.
pub(crate) fn why(reason: Unavailable) -> &'static str {
    match reason {
        Unavailable::Locked => "it could not be read behind somebody's lock",
        Unavailable::Forbidden => "the login may not read it",
        Unavailable::Broken => "the engine cannot read it itself",
        Unavailable::TooLong => "it is longer than was asked for",
        Unavailable::OverLimit => "there was no time or no room to read it",
        Unavailable::NotAsked => "nobody had asked for it yet",
    }
}
