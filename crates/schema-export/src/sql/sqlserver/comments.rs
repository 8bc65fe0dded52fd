use std::fmt::Write as _;

use schema_model::{ObjectName, Relation, RelationKind};

use super::Writer;
use super::names::literal;

/// How many units of UTF-16 a property may have: 7,500 bytes.
const LONGEST: usize = 3_750;

impl Writer<'_> {
    /// A comment, which is a property called `MS_Description`, on what these kinds and names lead to, from the schema on.
    pub(super) fn comment(
        &mut self,
        object: &ObjectName,
        part: &str,
        comment: Option<&String>,
        levels: &[(&str, &str)],
    ) {
        let Some(comment) = comment else { return };
        if levels.iter().any(|(_, name)| name.is_empty()) {
            return self.script.omit(object, part, "what it is on has no name");
        }
        match property(comment, levels) {
            Some(text) => drop(self.batch(object, part, &text)),
            None => self.script.omit(object, part, "it is longer than a property may be"),
        }
    }

    /// A comment on a part of a relation.
    pub(super) fn comment_on(&mut self, name: &ObjectName, (kind, part): (&str, &str), comment: Option<&String>) {
        let of = self.relations.get(name).map_or("TABLE", |relation| word(relation));
        let told = format!("{} {part}: comment", kind.to_lowercase());
        let levels = [("SCHEMA", &*name.namespace), (of, &*name.name), (kind, part)];
        self.comment(name, &told, comment, &levels);
    }

    /// Comments on a relation and on its columns.
    pub(super) fn comments_of(&mut self, name: &ObjectName, relation: &Relation) {
        let levels = [("SCHEMA", &*name.namespace), (word(relation), &*name.name)];
        self.comment(name, "comment", relation.comment.as_ref(), &levels);
        for column in &relation.columns {
            self.comment_on(name, ("COLUMN", &column.name), column.comment.as_ref());
        }
    }
}

fn word(relation: &Relation) -> &'static str {
    if relation.kind == RelationKind::View { "VIEW" } else { "TABLE" }
}

/// What adds a property; `None` where it is too long.
fn property(comment: &str, levels: &[(&str, &str)]) -> Option<String> {
    if comment.encode_utf16().count() > LONGEST {
        return None;
    }
    let mut text = format!("EXEC sys.sp_addextendedproperty @name = N'MS_Description', @value = {}", literal(comment));
    for (level, (kind, name)) in levels.iter().enumerate() {
        let _ = write!(text, ", @level{level}type = N'{kind}', @level{level}name = {}", literal(name));
    }
    Some(text)
}
