use std::fmt::Write as _;

use schema_model::{ObjectName, Partition, Partitioning};

use super::names::{literal, quoted};
use super::{Writer, number, text};

/// MariaDB's way to keep rows apart by when they counted.
const BY_TIME: &str = "SYSTEM_TIME";

impl Writer<'_> {
    /// How a table's rows are kept in several; `None` where that could not be read.
    pub(super) fn partitioning(&mut self, table: &ObjectName, partitioning: &Partitioning) -> Option<String> {
        let key = self.script.known(table, "partitioning", &partitioning.key);
        let parts = in_order(partitioning);
        let inner = parts.iter().filter_map(|partition| Some((&partition.name, &partition.partitioning.as_ref()?.key)));
        // All that is missing is told, though one is enough for there to be no parts.
        let inner: Vec<_> = inner.map(|(name, key)| self.script.known(name, "partitioning", key)).collect();
        let is_by_time = key.is_some_and(|key| key.starts_with(BY_TIME));
        let parts: Vec<_> = parts.into_iter().map(|partition| self.partition(partition, is_by_time)).collect();
        // Of rows that MariaDB keeps by when they counted, it tells an expression that nobody may write.
        let mut written = format!("\nPARTITION BY {}", if is_by_time { BY_TIME } else { key? });
        if let Some(inner) = inner.into_iter().collect::<Option<Vec<_>>>()?.first() {
            let _ = write!(written, "\nSUBPARTITION BY {inner}");
        }
        let parts: Vec<String> = parts.into_iter().collect::<Option<_>>()?;
        let _ = write!(written, " (\n  {}\n)", parts.join(",\n  "));
        Some(written)
    }

    fn partition(&mut self, partition: &Partition, is_by_time: bool) -> Option<String> {
        let bound = self.script.known(&partition.name, "bound", &partition.bound)?;
        let bound = match bound.as_str() {
            "" if is_by_time => " HISTORY".to_owned(),
            "" | "CURRENT" => format!(" {bound}").trim_end().to_owned(),
            _ if is_by_time => {
                self.script.omit(&partition.name, "bound", "after how long it is full is not in the model");
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
