use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    AttributeValue, IndexStatus, KeySchemaElement, KeyType, Projection, ProvisionedThroughputDescription,
    TableDescription as Described, TimeToLiveStatus,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounded, Bounds, DatabaseError, DatabaseErrorKind, Effect, Ending, Shape, TableDescription, TableIndex, TableNames,
    Tables,
};

use super::connection::DynamoDbConnection;
use super::error;

/// The most names in one answer.
const PAGE: i32 = 100;

#[async_trait]
impl Tables for DynamoDbConnection {
    fn table(&self) -> Option<&str> {
        Self::table(self)
    }

    async fn list_tables(&self, after: Option<&str>, context: &RequestContext) -> Result<TableNames, DatabaseError> {
        let answer = self.run("ListTables", Effect::Nothing, context, |session| async move {
            let request = session.client().list_tables().limit(PAGE);
            let answer = request.set_exclusive_start_table_name(after.map(str::to_owned)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "ListTables")))
        });
        let answer = answer.await?;
        Ok(TableNames { names: answer.table_names.unwrap_or_default(), next: answer.last_evaluated_table_name })
    }

    async fn describe_table(
        &self,
        table: &str,
        context: &RequestContext,
    ) -> Result<Option<TableDescription>, DatabaseError> {
        let answer = self.run("DescribeTable", Effect::Nothing, context, |session| async move {
            let answer = session.client().describe_table().table_name(table).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "DescribeTable")))
        });
        match answer.await {
            Ok(answer) => Ok(answer.table.as_ref().map(description)),
            Err(error) if *error.kind() == DatabaseErrorKind::UnknownDatabase => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn time_to_live(&self, table: &str, context: &RequestContext) -> Result<Option<String>, DatabaseError> {
        let answer = self.run("DescribeTimeToLive", Effect::Nothing, context, |session| async move {
            let answer = session.client().describe_time_to_live().table_name(table).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "DescribeTimeToLive")))
        });
        let described = answer.await?.time_to_live_description;
        let is_on = |status: Option<&TimeToLiveStatus>| {
            matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
        };
        Ok(described.filter(|told| is_on(told.time_to_live_status())).and_then(|told| told.attribute_name))
    }

    async fn first_items(
        &self,
        table: &str,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Shape>, DatabaseError> {
        let limit = i32::try_from(bounds.documents).unwrap_or(i32::MAX);
        if limit == 0 {
            return Ok(Bounded { items: Vec::new(), ending: Ending::Documents });
        }
        let answer = self.run("Scan", Effect::Nothing, context, |session| async move {
            let answer = session.client().scan().table_name(table).limit(limit).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "Scan")))
        });
        let answer = answer.await?;
        let items: Vec<Shape> = answer.items.unwrap_or_default().iter().map(item).collect();
        let ending = match answer.last_evaluated_key {
            None => Ending::All,
            // The service ends an answer at one megabyte.
            Some(_) if items.len() < bounds.documents as usize => Ending::Bytes,
            Some(_) => Ending::Documents,
        };
        Ok(Bounded { items, ending })
    }
}

fn item(item: &HashMap<String, AttributeValue>) -> Shape {
    let mut fields: Vec<(String, Shape)> = item.iter().map(|(name, value)| (name.clone(), shape(value))).collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    Shape::Object("M", fields)
}

/// The words are those of the service. It lets nobody nest deeper than 32 levels.
fn shape(value: &AttributeValue) -> Shape {
    match value {
        AttributeValue::B(_) => Shape::Scalar("B"),
        AttributeValue::Bool(_) => Shape::Scalar("BOOL"),
        AttributeValue::Bs(_) => Shape::Scalar("BS"),
        AttributeValue::L(items) => Shape::Array("L", items.iter().map(shape).collect()),
        AttributeValue::M(map) => item(map),
        AttributeValue::N(_) => Shape::Scalar("N"),
        AttributeValue::Ns(_) => Shape::Scalar("NS"),
        AttributeValue::Null(_) => Shape::Scalar("NULL"),
        AttributeValue::S(_) => Shape::Scalar("S"),
        AttributeValue::Ss(_) => Shape::Scalar("SS"),
        _ => Shape::Scalar("unknown"),
    }
}

fn description(table: &Described) -> TableDescription {
    let attributes = table.attribute_definitions().iter();
    let local = table.local_secondary_indexes().iter().map(|index| TableIndex {
        name: index.index_name().unwrap_or_default().to_owned(),
        is_local: true,
        key: key(index.key_schema()),
        projection: projection(index.projection()),
        include: include(index.projection()),
        capacity: None,
        is_active: true,
    });
    let global = table.global_secondary_indexes().iter().map(|index| TableIndex {
        name: index.index_name().unwrap_or_default().to_owned(),
        is_local: false,
        key: key(index.key_schema()),
        projection: projection(index.projection()),
        include: include(index.projection()),
        capacity: capacity(index.provisioned_throughput()),
        is_active: index.index_status().is_none_or(|status| *status == IndexStatus::Active),
    });
    let stream = table.stream_specification().filter(|stream| stream.stream_enabled());
    let count = |number: Option<i64>| number.and_then(|number| number.try_into().ok());
    TableDescription {
        attributes: attributes
            .map(|one| (one.attribute_name().to_owned(), one.attribute_type().as_str().to_owned()))
            .collect(),
        key: key(table.key_schema()),
        indexes: local.chain(global).collect(),
        billing: table
            .billing_mode_summary()
            .and_then(|summary| summary.billing_mode())
            .map(|mode| mode.as_str().to_owned()),
        capacity: capacity(table.provisioned_throughput()),
        stream: stream.and_then(|stream| stream.stream_view_type()).map(|view| view.as_str().to_owned()),
        class: table
            .table_class_summary()
            .and_then(|summary| summary.table_class())
            .map(|class| class.as_str().to_owned()),
        is_protected: table.deletion_protection_enabled().unwrap_or_default(),
        items: count(table.item_count()),
        bytes: count(table.table_size_bytes()),
    }
}

/// The attribute that decides where items are kept comes first.
fn key(schema: &[KeySchemaElement]) -> Vec<String> {
    let of = |kind: KeyType| {
        schema.iter().filter(move |one| *one.key_type() == kind).map(|one| one.attribute_name().to_owned())
    };
    of(KeyType::Hash).chain(of(KeyType::Range)).collect()
}

fn projection(projection: Option<&Projection>) -> Option<String> {
    projection.and_then(Projection::projection_type).map(|kind| kind.as_str().to_owned())
}

fn include(projection: Option<&Projection>) -> Vec<String> {
    let mut names: Vec<String> = projection.map(|one| one.non_key_attributes().to_vec()).unwrap_or_default();
    names.sort_unstable();
    names
}

/// What was bought; a table that is paid by request has zero.
fn capacity(told: Option<&ProvisionedThroughputDescription>) -> Option<(u64, u64)> {
    let told = told?;
    let units = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).filter(|units| *units > 0);
    Some((units(told.read_capacity_units())?, units(told.write_capacity_units())?))
}
