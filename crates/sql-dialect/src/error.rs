use crate::Dialect;

/// Why a statement has no text in a dialect. Nothing has been sent when this is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The dialect has no way to say this construct with the same meaning.
    #[error("{dialect} cannot express {construct}")]
    Unsupported {
        /// The dialect asked for.
        dialect: Dialect,
        /// The construct in the words of the SQL standard or of sea-query, such as ``ON CONFLICT``.
        construct: &'static str,
    },
    /// An identifier that no quoting makes safe: empty, too long, or with U+0000.
    #[error("identifier {identifier:?} cannot be used in {dialect}: {reason}")]
    Identifier {
        /// The dialect asked for.
        dialect: Dialect,
        /// The identifier as it was given.
        identifier: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A value that the dialect's engines cannot store as it is, such as text with U+0000.
    #[error("parameter {position} cannot be sent to {dialect}: {reason}")]
    Value {
        /// The dialect asked for.
        dialect: Dialect,
        /// The position of the parameter, from 1.
        position: usize,
        /// What is wrong with it; never the value itself.
        reason: &'static str,
    },
}
