use aws_sdk_dynamodb::operation::describe_limits::DescribeLimitsOutput;
use aws_sdk_dynamodb::types::{AttributeValue, ScalarAttributeType, TableDescription};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Effect};
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};

use super::bounded::Bounded;
use super::connection::DynamoDbConnection;
use super::error;
use super::tables::{ITEMS, TOLD};

/// What became of an operation that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried<T = ()> {
    /// The answer to it.
    Allowed(T),
    Forbidden,
    /// The service does not say, such as one that has no such operation.
    NotTold,
}

/// What an identity was let do that changes nothing. The service tells nobody what they may do; what can only be learnt by changing
/// something is left out.
#[derive(Debug)]
pub(crate) struct Rights {
    /// Lists tables.
    pub(crate) lists: Tried,
    /// Is told of the connection's table: its state, such as `ACTIVE`. `None` where the settings name none.
    pub(crate) describes: Option<Tried<String>>,
    /// Reads an item of that table, one that is not there.
    pub(crate) reads: Option<Tried>,
    /// Is told how many reads and writes a second the account may have for one table.
    pub(crate) limits: Tried<(i64, i64)>,
}

impl DynamoDbConnection {
    /// Tries what changes nothing: `ListTables`, `DescribeTable`, `GetItem` of a key that is not there, and `DescribeLimits`. The
    /// account pays for half a read.
    ///
    /// # Errors
    /// Those that say nothing about rights, such as that the service is out of reach.
    pub(crate) async fn rights(&self, context: &RequestContext) -> Result<Rights, DatabaseError> {
        let lists = tried(self.names_a_table(context).await)?;
        let limits = tried(self.limits(context).await)?;
        let Some(table) = self.table() else { return Ok(Rights { lists, describes: None, reads: None, limits }) };
        let answer = tried(self.described(table, context).await)?;
        let (describes, reads) = match answer {
            Tried::Allowed(described) => {
                let state = described.table_status().map_or("of an unknown state", |status| status.as_str());
                let reads = match missing_key(&described) {
                    Some(key) => tried(self.gets(table, key, context).await)?,
                    None => Tried::NotTold,
                };
                (Tried::Allowed(state.to_owned()), reads)
            }
            Tried::Forbidden => (Tried::Forbidden, Tried::NotTold),
            Tried::NotTold => (Tried::NotTold, Tried::NotTold),
        };
        Ok(Rights { lists, describes: Some(describes), reads: Some(reads), limits })
    }

    async fn names_a_table(&self, context: &RequestContext) -> Result<(), DatabaseError> {
        self.run("ListTables", Effect::Nothing, context, |session| async move {
            let request = session.client().list_tables().limit(1).customize();
            let answer = request.interceptor(Bounded(TOLD)).send().await;
            (session, answer.map(drop).map_err(|cause| error::map(&cause, "ListTables")))
        })
        .await
    }

    async fn described(&self, table: &str, context: &RequestContext) -> Result<TableDescription, DatabaseError> {
        let answer = self.run("DescribeTable", Effect::Nothing, context, |session| async move {
            let request = session.client().describe_table().table_name(table).customize();
            let answer = request.interceptor(Bounded(TOLD)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "DescribeTable")))
        });
        Ok(answer.await?.table.unwrap_or_else(|| TableDescription::builder().build()))
    }

    async fn gets(&self, table: &str, key: Key, context: &RequestContext) -> Result<(), DatabaseError> {
        let key = &key;
        self.run("GetItem", Effect::Nothing, context, |session| async move {
            let request = session.client().get_item().table_name(table).set_key(Some(key.iter().cloned().collect()));
            let answer = request.customize().interceptor(Bounded(ITEMS)).send().await;
            (session, answer.map(drop).map_err(|cause| error::map(&cause, "GetItem")))
        })
        .await
    }

    async fn limits(&self, context: &RequestContext) -> Result<(i64, i64), DatabaseError> {
        let answer = self.run("DescribeLimits", Effect::Nothing, context, |session| async move {
            let answer = session.client().describe_limits().customize().interceptor(Bounded(TOLD)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "DescribeLimits")))
        });
        let told = answer.await?;
        let limit = |told: &DescribeLimitsOutput| {
            Some((told.table_max_read_capacity_units()?, told.table_max_write_capacity_units()?))
        };
        limit(&told).ok_or_else(|| {
            let message = "DescribeLimits: the answer tells no limits";
            DatabaseError::new(DatabaseErrorKind::Query, message).with_code(error::UNKNOWN)
        })
    }
}

fn tried<T>(outcome: Result<T, DatabaseError>) -> Result<Tried<T>, DatabaseError> {
    match outcome {
        Ok(answer) => Ok(Tried::Allowed(answer)),
        Err(error) if error.code() == Some(error::DENIED) => Ok(Tried::Forbidden),
        Err(error) if error.code() == Some(error::UNKNOWN) => Ok(Tried::NotTold),
        Err(error) => Err(error),
    }
}

type Key = Vec<(String, AttributeValue)>;

/// A key that no item has, of the types that the table's keys are of. `None` where these are not told.
fn missing_key(table: &TableDescription) -> Option<Key> {
    let id = SystemIdGenerator.next();
    let text = format!("bindery:doctor:{id}");
    let value = |attribute: &str| {
        let told = table.attribute_definitions().iter().find(|told| told.attribute_name() == attribute)?;
        Some(match told.attribute_type() {
            ScalarAttributeType::B => AttributeValue::B(text.clone().into_bytes().into()),
            // 38 digits are what a number may have.
            ScalarAttributeType::N => AttributeValue::N((id.as_u128() % 10_u128.pow(38)).to_string()),
            ScalarAttributeType::S => AttributeValue::S(text.clone()),
            _ => return None,
        })
    };
    let key = table.key_schema().iter().map(|part| {
        let name = part.attribute_name();
        Some((name.to_owned(), value(name)?))
    });
    key.collect::<Option<Key>>().filter(|key| !key.is_empty())
}
