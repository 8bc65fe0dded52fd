use std::time::Duration;

/// What an inspection is to look at, and how far it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectOptions {
    /// The namespaces to look at; `None` is all of them but those of the engine itself.
    pub namespaces: Option<Vec<String>>,
    /// How long an engine may wait for a lock before what needs it is marked [`schema_model::Unavailable::Locked`]. Locks that are seen
    /// beforehand are not waited for at all.
    pub lock_wait: Duration,
    /// The longest definition that is told, in bytes of UTF-8; a longer one is marked [`schema_model::Unavailable::TooLong`].
    pub longest_definition: usize,
}

impl Default for InspectOptions {
    /// Everything, 100 ms, and 256 KiB.
    fn default() -> Self {
        Self { namespaces: None, lock_wait: Duration::from_millis(100), longest_definition: 256 * 1024 }
    }
}

impl InspectOptions {
    /// The same with these namespaces alone.
    #[must_use]
    pub fn only<N: Into<String>>(mut self, namespaces: impl IntoIterator<Item = N>) -> Self {
        self.namespaces = Some(namespaces.into_iter().map(Into::into).collect());
        self
    }
}
