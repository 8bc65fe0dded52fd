use std::fmt::Write as _;

use schema_model::{Index, ObjectName, PartTarget, RelationKind, SortDirection};

use super::names::{list, qualified, quoted};
use super::{Writer, is, text};

impl Writer<'_> {
    /// The indexes of tables, or of views, that keep no key. What has the rows comes first.
    pub(super) fn indexes(&mut self, of_views: bool) {
        for (name, relation) in self.relations.clone() {
            if (relation.kind == RelationKind::View) != of_views || !self.is_made(&name) {
                continue;
            }
            let mut indexes: Vec<&Index> = relation.indexes.iter().filter(|index| index.constraint.is_none()).collect();
            indexes.sort_by_key(|index| !index.method.starts_with("CLUSTERED"));
            for index in indexes {
                self.index(&name, index);
            }
        }
    }

    fn index(&mut self, table: &ObjectName, index: &Index) {
        let part = format!("index {}", index.name);
        let names_columns = match index.method.as_str() {
            "CLUSTERED" | "NONCLUSTERED" | "NONCLUSTERED COLUMNSTORE" => true,
            "CLUSTERED COLUMNSTORE" => false,
            "XML" => return self.script.omit(table, &part, "which kind of index of XML it is is not in the model"),
            "SPATIAL" => return self.script.omit(table, &part, "the bounds of its grid are not in the model"),
            "FULLTEXT" => return self.script.omit(table, &part, "catalogs of texts are not in the model"),
            _ => return self.script.omit(table, &part, "indexes of its kind are not written"),
        };
        let is_column = |target: &PartTarget| matches!(target, PartTarget::Column(_));
        if names_columns && (index.parts.is_empty() || !index.parts.iter().all(|part| is_column(&part.target))) {
            return self.script.omit(table, &part, "its columns are not in the model");
        }
        let unique = if index.unique { "UNIQUE " } else { "" };
        let mut text = format!("CREATE {unique}{} INDEX {} ON {}", index.method, quoted(&index.name), qualified(table));
        if names_columns {
            let _ = write!(text, " ({})", sorted(index).join(", "));
        }
        if !index.include.is_empty() {
            let _ = write!(text, " INCLUDE ({})", list(&index.include));
        }
        if let Some(predicate) = &index.predicate {
            // An index of more rows might be unique no longer.
            let Some(predicate) = self.expression(table, &part, predicate) else { return };
            let _ = write!(text, " WHERE {predicate}");
        }
        text += &options(index);
        if self.batch(table, &part, &text) {
            self.made(table, &part, index);
            self.comment_on(table, ("INDEX", &index.name), index.comment.as_ref());
        }
    }

    /// Tells where an index was that was somewhere of its own, and notes those that are to be switched off.
    pub(super) fn made(&mut self, table: &ObjectName, part: &str, index: &Index) {
        if !index.valid {
            self.disabled.push((table.clone(), index.name.clone()));
        }
        for place in ["filegroup", "partition_scheme"] {
            if let Some(name) = text(&index.native, place) {
                self.script.omit(table, &format!("{part}: {place} {name}"), "it is not in the model");
            }
        }
    }

    /// Switches indexes off. A table whose rows are in one cannot be read any more, and so this comes behind what reads it.
    pub(super) fn disabled_indexes(&mut self) {
        for (table, index) in std::mem::take(&mut self.disabled) {
            if self.is_made(&table) {
                let text = format!("ALTER INDEX {} ON {} DISABLE", quoted(&index), qualified(&table));
                self.batch(&table, &format!("index {index}"), &text);
            }
        }
    }
}

/// The columns, each with its direction where it has one.
pub(super) fn sorted(index: &Index) -> Vec<String> {
    let column = |part: &schema_model::IndexPart| {
        let PartTarget::Column(name) = &part.target else { return None };
        Some(match part.direction {
            Some(SortDirection::Ascending) => format!("{} ASC", quoted(name)),
            Some(SortDirection::Descending) => format!("{} DESC", quoted(name)),
            None => quoted(name),
        })
    };
    index.parts.iter().filter_map(column).collect()
}

/// How an index is kept.
pub(super) fn options(index: &Index) -> String {
    let mut all = Vec::new();
    if is(&index.native, "padded") {
        all.push("PAD_INDEX = ON".to_owned());
    }
    let fill_factor = index.native.get("fill_factor").and_then(serde_json::Value::as_u64);
    if let Some(percent) = fill_factor.filter(|percent| (1..=100).contains(percent)) {
        all.push(format!("FILLFACTOR = {percent}"));
    }
    if is(&index.native, "ignore_dup_key") {
        all.push("IGNORE_DUP_KEY = ON".to_owned());
    }
    if all.is_empty() { String::new() } else { format!(" WITH ({})", all.join(", ")) }
}
