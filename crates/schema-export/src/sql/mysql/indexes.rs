use std::fmt::Write as _;

use schema_model::{Index, ObjectName, PartTarget, Relation, SortDirection};

use super::names::{literal, quoted};
use super::{Product, Writer, is, text};

impl Writer<'_> {
    /// An index as it stands within its table; `None` where a part of it could not be read.
    pub(super) fn index(&mut self, table: &ObjectName, relation: &Relation, index: &Index) -> Option<String> {
        let part = format!("index {}", index.name);
        if !matches!(index.method.as_str(), "BTREE" | "HASH" | "FULLTEXT" | "SPATIAL" | "RTREE") {
            self.script.omit(table, &part, "indexes of its method are not written");
            return None;
        }
        let mut parts = Vec::with_capacity(index.parts.len());
        for one in &index.parts {
            let mut target = match &one.target {
                PartTarget::Column(column) => quoted(column),
                PartTarget::Expression(expression) => format!("({})", self.script.known(table, &part, expression)?),
            };
            if let Some(length) = one.prefix_length {
                let _ = write!(target, "({length})");
            }
            if one.direction == Some(SortDirection::Descending) {
                target += " DESC";
            }
            parts.push(target);
        }
        let name = quoted(&index.name);
        let start = match index.method.as_str() {
            _ if index.name == "PRIMARY" => "PRIMARY KEY".to_owned(),
            "FULLTEXT" => format!("FULLTEXT KEY {name}"),
            "SPATIAL" | "RTREE" => format!("SPATIAL KEY {name}"),
            _ if index.unique => format!("UNIQUE KEY {name}"),
            _ => format!("KEY {name}"),
        };
        let mut written = format!("{start} ({})", parts.join(", "));
        // A table in memory has the other kind unless something is said.
        let is_in_memory = text(&relation.native, "engine") == Some("MEMORY");
        if index.method == "HASH" || (index.method == "BTREE" && is_in_memory) {
            let _ = write!(written, " USING {}", index.method);
        }
        if let Some(comment) = &index.comment {
            let _ = write!(written, " COMMENT {}", literal(comment));
        }
        match self.product {
            Product::MySql if is(&index.native, "invisible") => written += " INVISIBLE",
            Product::MariaDb if is(&index.native, "ignored") => written += " IGNORED",
            Product::MySql | Product::MariaDb => {}
        }
        Some(written)
    }
}
