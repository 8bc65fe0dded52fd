use schema_model::{Database, Gap, Identities, Inspection, ObjectName, Unavailable};

/// One of the two that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub(crate) database: &'a Database,
    pub(crate) gaps: &'a [Gap],
    pub(crate) identities: Option<&'a Identities>,
}

impl<'a> Side<'a> {
    /// A model by itself: it tells everything that there is, and no renames can be seen.
    pub fn new(database: &'a Database) -> Self {
        Self { database, gaps: &[], identities: None }
    }

    /// Why a list that is empty may be no empty list.
    pub(crate) fn lacks(&self, object: &ObjectName, parts: &[&str]) -> Option<&'a Gap> {
        self.gaps
            .iter()
            .filter(|gap| gap.reason != Unavailable::TooLong && gap.object.as_ref() == Some(object))
            .find(|gap| parts.contains(&gap.part.as_str()))
    }
}

/// What was found, with what was not, and the numbers by which renames are seen.
impl<'a> From<&'a Inspection> for Side<'a> {
    fn from(inspection: &'a Inspection) -> Self {
        Self {
            database: &inspection.database,
            gaps: &inspection.report.gaps,
            identities: inspection.identities.as_ref(),
        }
    }
}

impl<'a> From<&'a Database> for Side<'a> {
    fn from(database: &'a Database) -> Self {
        Self::new(database)
    }
}
