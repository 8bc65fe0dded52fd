use std::collections::HashMap;

use schema_model::{Database, EDITION, Gap, Identities, Inspection, ObjectName, Unavailable};

/// One of the two that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub(crate) database: &'a Database,
    pub(crate) gaps: &'a [Gap],
    pub(crate) identities: Option<&'a Identities>,
    /// Of the model: what only a later one knows is not told.
    pub(crate) edition: u32,
}

impl<'a> Side<'a> {
    /// A model by itself: it tells everything that there is, and no renames can be seen.
    pub fn new(database: &'a Database) -> Self {
        Self { database, gaps: &[], identities: None, edition: EDITION }
    }
}

/// What a side does not tell, by the object that it is of.
pub(crate) struct Lacking<'a>(HashMap<Option<&'a ObjectName>, Vec<&'a Gap>>);

impl<'a> Lacking<'a> {
    pub(crate) fn of(side: Side<'a>) -> Self {
        let mut by_object: HashMap<Option<&ObjectName>, Vec<&Gap>> = HashMap::new();
        // What is too long is there, and told to be.
        for gap in side.gaps.iter().filter(|gap| gap.reason != Unavailable::TooLong) {
            by_object.entry(gap.object.as_ref()).or_default().push(gap);
        }
        Self(by_object)
    }

    /// Why a list that is empty may be no empty list: parts of the object, or of some that nobody can name.
    pub(crate) fn any(&self, object: &ObjectName, parts: &[&str]) -> Option<&'a Gap> {
        let gaps = [Some(object), None].into_iter().filter_map(|key| self.0.get(&key)).flatten();
        gaps.copied().find(|gap| parts.contains(&gap.part.as_str()))
    }

    /// Why a list of what is in the database may be no whole one.
    pub(crate) fn list(&self, parts: &[&str]) -> Option<&'a Gap> {
        let mut gaps = self.0.get(&None).into_iter().flatten();
        gaps.find(|gap| parts.contains(&gap.part.as_str())).copied()
    }

    /// Whether the object is there, and something of it is not told.
    pub(crate) fn names(&self, object: &ObjectName) -> bool {
        self.0.contains_key(&Some(object))
    }
}

/// What was found, with what was not, and the numbers by which renames are seen.
impl<'a> From<&'a Inspection> for Side<'a> {
    fn from(inspection: &'a Inspection) -> Self {
        Self {
            database: &inspection.database,
            gaps: &inspection.report.gaps,
            identities: inspection.identities.as_ref(),
            edition: inspection.report.edition,
        }
    }
}

impl<'a> From<&'a Database> for Side<'a> {
    fn from(database: &'a Database) -> Self {
        Self::new(database)
    }
}
