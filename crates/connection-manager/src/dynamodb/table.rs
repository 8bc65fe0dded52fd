use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{KeyType, ScalarAttributeType};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use super::error;

/// A table, as far as values can be kept in it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    name: String,
    /// The attribute of the key; `None` when the table's key is another than one binary attribute.
    key: Option<String>,
}

impl Table {
    /// Asks what its key is.
    pub(super) async fn describe(client: &Client, name: &str) -> Result<Self, DatabaseError> {
        let attempt = "DescribeTable";
        // Boxed, because the SDK's futures are large and deep, and every call on the pool may hold this one.
        let answer = Box::pin(client.describe_table().table_name(name).send()).await;
        let table = answer.map_err(|cause| error::map(&cause, attempt))?.table;
        let table = table.ok_or_else(|| {
            DatabaseError::new(DatabaseErrorKind::Decode, format!("{attempt}: the answer describes no table"))
        })?;
        let key = match table.key_schema() {
            [only] if *only.key_type() == KeyType::Hash => Some(only.attribute_name()),
            _ => None,
        };
        let is_binary = |key: &&str| {
            table.attribute_definitions().iter().any(|attribute| {
                attribute.attribute_name() == *key && *attribute.attribute_type() == ScalarAttributeType::B
            })
        };
        Ok(Self { name: name.to_owned(), key: key.filter(is_binary).map(str::to_owned) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The name of the attribute that holds the key.
    pub(super) fn key(&self) -> Result<&str, DatabaseError> {
        self.key.as_deref().ok_or_else(|| {
            let message = format!(
                "the table `{}` cannot keep values: it needs a partition key of type binary and no sort key",
                self.name
            );
            DatabaseError::new(DatabaseErrorKind::Misconfigured, message)
        })
    }
}
