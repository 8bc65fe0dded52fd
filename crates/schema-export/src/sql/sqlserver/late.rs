use schema_model::ObjectName;

use super::Writer;

/// A part of a table that calls a function.
pub(super) struct Late {
    pub(super) table: ObjectName,
    pub(super) part: String,
    pub(super) batches: Vec<String>,
    /// Folded.
    pub(super) calls: Vec<ObjectName>,
    /// The name of a condition, and what is written about it.
    pub(super) comment: Option<(String, String)>,
}

impl Writer<'_> {
    /// Makes what had to wait for functions.
    pub(super) fn late(&mut self) {
        for Late { table, part, batches, calls, comment } in std::mem::take(&mut self.late) {
            if !self.is_made(&table) {
                continue;
            }
            if let Some(absent) = calls.iter().find(|call| !self.routines.contains(call)) {
                self.script.omit(&table, &part, &format!("it calls {absent}, which is not made"));
                continue;
            }
            let are_made = batches.iter().all(|text| self.batch(&table, &part, text));
            if let Some((name, comment)) = comment.filter(|_| are_made) {
                self.comment_on(&table, ("CONSTRAINT", &name), Some(&comment));
            }
        }
    }
}
