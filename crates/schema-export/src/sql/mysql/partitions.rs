use std::fmt::Write as _;

use schema_model::{ObjectName, Partition, Partitioning};

use super::names::{literal, quoted};
use super::{Writer, number, text};

impl Writer<'_> {
    /// How a table's rows are kept in several; `None` where that could not be read.
    pub(super) fn partitioning(&mut self, table: &ObjectName, partitioning: &Partitioning) -> Option<String> {
        let key = self.script.known(table, "partitioning", &partitioning.key)?.clone();
        let mut written = format!("\nPARTITION BY {}", method(&key));
        let inner = partitioning.partitions.iter().find_map(|partition| partition.partitioning.as_ref());
        if let Some(inner) = inner {
            let key = self.script.known(table, "partitioning", &inner.key)?;
            let _ = write!(written, "\nSUBPARTITION BY {key}");
        }
        let mut parts = Vec::new();
        for partition in in_order(partitioning) {
            parts.push(self.partition(table, &key, partition)?);
        }
        let _ = write!(written, " (\n  {}\n)", parts.join(",\n  "));
        Some(written)
    }

    fn partition(&mut self, table: &ObjectName, key: &str, partition: &Partition) -> Option<String> {
        let part = format!("partition {}", partition.name.name);
        let bound = self.script.known(table, &part, &partition.bound)?;
        let bound = match bound.as_str() {
            "" if is_by_time(key) => " HISTORY".to_owned(),
            "" | "CURRENT" => format!(" {bound}").trim_end().to_owned(),
            _ if is_by_time(key) => {
                self.script.omit(table, "partitioning", "after how long a part is full is not in the model");
                return None;
            }
            bound => format!(" {bound}"),
        };
        let mut written = format!("PARTITION {}{bound}{}", quoted(&partition.name.name), options(partition));
        if let Some(inner) = &partition.partitioning {
            let part = |inner: &Partition| format!("SUBPARTITION {}{}", quoted(&inner.name.name), options(inner));
            let parts: Vec<String> = in_order(inner).into_iter().map(part).collect();
            let _ = write!(written, " (\n    {}\n  )", parts.join(",\n    "));
        }
        Some(written)
    }
}

/// Whether MariaDB keeps rows apart by when they counted.
fn is_by_time(key: &str) -> bool {
    key.starts_with("SYSTEM_TIME")
}

/// The key as it is written. Of rows that are kept by when they counted, the server tells an expression that nobody may write.
fn method(key: &str) -> &str {
    if is_by_time(key) { "SYSTEM_TIME" } else { key }
}

/// The places of parts count, and in the model they are in the order of their names.
fn in_order(partitioning: &Partitioning) -> Vec<&Partition> {
    let mut parts: Vec<&Partition> = partitioning.partitions.iter().collect();
    parts.sort_by_key(|partition| number(&partition.native, "position"));
    parts
}

fn options(partition: &Partition) -> String {
    let mut options = String::new();
    if let Some(comment) = text(&partition.native, "comment") {
        let _ = write!(options, " COMMENT = {}", literal(comment));
    }
    if let Some(tablespace) = text(&partition.native, "tablespace") {
        let _ = write!(options, " TABLESPACE = {}", quoted(tablespace));
    }
    options
}
