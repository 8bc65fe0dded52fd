//! What the service says of a table, in the kernel's words. Left out is what comes and goes by itself: states, dates, counts of indexes,
//! the throughput that is warm; and what an account's names are in, but for the key that items are encrypted with.

use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, KeyType, LocalSecondaryIndexDescription,
    MultiRegionConsistency, OnDemandThroughput, Projection, ProjectionType, ProvisionedThroughputDescription,
    SseStatus, SseType, StreamViewType, TableDescription as Described, VectorDistanceFunction, VectorIndexDescription,
};
use shared_kernel::database::{TableDescription, TableFact, TableFacts, TableIndex};

/// What counts where the service says nothing: it does so until the first change.
const BILLING: &str = "PROVISIONED";
const CLASS: &str = "STANDARD";

pub(super) fn table(table: &Described) -> TableDescription {
    let attributes = table.attribute_definitions().iter();
    let count = |number: Option<i64>| number.and_then(|number| number.try_into().ok());
    TableDescription {
        attributes: attributes
            .map(|one| (one.attribute_name().to_owned(), one.attribute_type().as_str().to_owned()))
            .collect(),
        key: key(table.key_schema()),
        indexes: indexes(table),
        facts: facts(table),
        items: count(table.item_count()),
        bytes: count(table.table_size_bytes()),
    }
}

fn indexes(table: &Described) -> Vec<TableIndex> {
    let local = table.local_secondary_indexes().iter().map(local);
    let global = table.global_secondary_indexes().iter().map(global);
    local.chain(global).chain(table.vector_indexes().iter().map(vector)).collect()
}

fn facts(table: &Described) -> TableFacts {
    let mut facts = Facts::default();
    let billing = table.billing_mode_summary().and_then(|summary| summary.billing_mode());
    facts.word("billing_mode", Some(billing.map_or(BILLING, |mode| mode.as_str())));
    facts.bought(table.provisioned_throughput());
    facts.at_most(table.on_demand_throughput());
    let class = table.table_class_summary().and_then(|summary| summary.table_class());
    facts.partitioned(table.key_schema());
    facts.word("table_class", Some(class.map_or(CLASS, |class| class.as_str())));
    let stream = table.stream_specification().filter(|stream| stream.stream_enabled());
    facts.word("stream_view_type", stream.and_then(|stream| stream.stream_view_type()).map(StreamViewType::as_str));
    facts.flag("deletion_protection", table.deletion_protection_enabled());
    facts.flag("disassociation_protection", table.disassociation_protection_enabled());
    // Without a word on it, items are encrypted with a key of the service's own.
    let is_off = |status: &SseStatus| matches!(status, SseStatus::Disabled | SseStatus::Disabling);
    let encryption = table.sse_description().filter(|told| told.status().is_some_and(|status| !is_off(status)));
    facts.word("sse_type", encryption.and_then(|told| told.sse_type()).map(SseType::as_str));
    facts.word("kms_master_key_arn", encryption.and_then(|told| told.kms_master_key_arn()));
    facts.words("replicas", table.replicas().iter().filter_map(|replica| replica.region_name()));
    facts.words("witnesses", table.global_table_witnesses().iter().filter_map(|witness| witness.region_name()));
    facts.word("global_table_version", table.global_table_version());
    facts.word("multi_region_consistency", table.multi_region_consistency().map(MultiRegionConsistency::as_str));
    facts.0
}

fn local(index: &LocalSecondaryIndexDescription) -> TableIndex {
    let mut facts = Facts::default();
    let include = facts.projected(index.projection());
    TableIndex {
        name: name(index.index_name()),
        method: "local",
        key: key(index.key_schema()),
        include,
        // It is made with its table.
        is_active: true,
        facts: facts.0,
    }
}

fn global(index: &GlobalSecondaryIndexDescription) -> TableIndex {
    let mut facts = Facts::default();
    let include = facts.projected(index.projection());
    facts.partitioned(index.key_schema());
    facts.bought(index.provisioned_throughput());
    facts.at_most(index.on_demand_throughput());
    TableIndex {
        name: name(index.index_name()),
        method: "global",
        key: key(index.key_schema()),
        include,
        is_active: is_active(index.index_status()),
        facts: facts.0,
    }
}

fn vector(index: &VectorIndexDescription) -> TableIndex {
    let mut facts = Facts::default();
    let include = facts.projected(index.projection());
    facts.number("dimensions", index.dimensions());
    facts.word("distance_function", index.distance_function().map(VectorDistanceFunction::as_str));
    let searched = index.search_schema().iter().map(|part| part.attribute_name().to_owned());
    TableIndex {
        name: name(index.index_name()),
        method: "vector",
        key: index.vector_attribute().map(|one| one.attribute_name().to_owned()).into_iter().chain(searched).collect(),
        include,
        is_active: is_active(index.index_status()),
        facts: facts.0,
    }
}

fn name(name: Option<&str>) -> String {
    name.unwrap_or_default().to_owned()
}

/// One that is changed can be used as it was.
fn is_active(status: Option<&IndexStatus>) -> bool {
    !matches!(status, Some(IndexStatus::Creating | IndexStatus::Deleting))
}

/// The attributes that decide where items are kept come first, then those that they are sorted by.
fn key(schema: &[KeySchemaElement]) -> Vec<String> {
    let of = |kind: KeyType| {
        schema.iter().filter(move |one| *one.key_type() == kind).map(|one| one.attribute_name().to_owned())
    };
    of(KeyType::Hash).chain(of(KeyType::Range)).collect()
}

#[derive(Default)]
struct Facts(TableFacts);

impl Facts {
    fn word(&mut self, name: &'static str, word: Option<&str>) {
        self.0.extend(word.map(|word| (name, TableFact::Word(word.to_owned()))));
    }

    fn words<'a>(&mut self, name: &'static str, words: impl Iterator<Item = &'a str>) {
        let mut words: Vec<String> = words.map(str::to_owned).collect();
        words.sort_unstable();
        if !words.is_empty() {
            self.0.insert(name, TableFact::Words(words));
        }
    }

    /// What is not so is not told.
    fn flag(&mut self, name: &'static str, flag: Option<bool>) {
        self.0.extend(flag.filter(|flag| *flag).map(|flag| (name, TableFact::Flag(flag))));
    }

    /// Of what was not bought there is none, and -1 is no limit.
    fn number(&mut self, name: &'static str, number: Option<i64>) {
        let number = number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
        self.0.extend(number.map(|number| (name, TableFact::Number(number))));
    }

    /// How many of the key's attributes decide where an item is kept, where it is not the first one alone.
    fn partitioned(&mut self, schema: &[KeySchemaElement]) {
        let count = schema.iter().filter(|one| *one.key_type() == KeyType::Hash).count();
        self.number("partition_attributes", i64::try_from(count).ok().filter(|count| *count > 1));
    }

    /// How many reads and writes a second were bought.
    fn bought(&mut self, told: Option<&ProvisionedThroughputDescription>) {
        self.number("read_capacity_units", told.and_then(ProvisionedThroughputDescription::read_capacity_units));
        self.number("write_capacity_units", told.and_then(ProvisionedThroughputDescription::write_capacity_units));
    }

    /// How many may be asked for at most where each is paid for.
    fn at_most(&mut self, told: Option<&OnDemandThroughput>) {
        self.number("max_read_request_units", told.and_then(OnDemandThroughput::max_read_request_units));
        self.number("max_write_request_units", told.and_then(OnDemandThroughput::max_write_request_units));
    }

    /// Which attributes an index has; those that were chosen one by one are returned.
    fn projected(&mut self, projection: Option<&Projection>) -> Vec<String> {
        self.word("projection", projection.and_then(Projection::projection_type).map(ProjectionType::as_str));
        let mut chosen: Vec<String> = projection.map(|one| one.non_key_attributes().to_vec()).unwrap_or_default();
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{
        BillingMode, BillingModeSummary, ReplicaDescription, SseDescription, StreamSpecification, TableClass,
        TableClassSummary, VectorAttributeDefinition,
    };

    use super::*;

    fn key_part(name: &str, kind: KeyType) -> KeySchemaElement {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a part of a key")
    }

    fn word(word: &str) -> TableFact {
        TableFact::Word(word.to_owned())
    }

    #[test]
    fn what_counts_until_the_first_change_is_told() {
        let told = table(&Described::builder().item_count(-1).table_size_bytes(7).build());
        let facts = [("billing_mode", word("PROVISIONED")), ("table_class", word("STANDARD"))];
        assert_eq!(told, TableDescription { facts: facts.into(), bytes: Some(7), ..TableDescription::default() });
    }

    /// Little of this is there where tests run.
    #[test]
    fn what_only_the_service_knows_is_told() {
        let region = |name: &str| ReplicaDescription::builder().region_name(name).build();
        let stream =
            StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::KeysOnly).build();
        let limits = OnDemandThroughput::builder().max_read_request_units(40).max_write_request_units(-1).build();
        let encryption = SseDescription::builder().status(SseStatus::Enabled).sse_type(SseType::Kms);
        let none = ProvisionedThroughputDescription::builder().read_capacity_units(0).write_capacity_units(0).build();
        let summary = BillingModeSummary::builder().billing_mode(BillingMode::PayPerRequest).build();
        let class = TableClassSummary::builder().table_class(TableClass::StandardInfrequentAccess).build();
        let told = table(
            &Described::builder()
                .billing_mode_summary(summary)
                .provisioned_throughput(none)
                .on_demand_throughput(limits)
                .table_class_summary(class)
                .stream_specification(stream.expect("a stream"))
                .deletion_protection_enabled(true)
                .sse_description(encryption.kms_master_key_arn("arn:aws:kms:eu-central-1:1:key/1").build())
                .replicas(region("us-east-1"))
                .replicas(region("eu-west-1"))
                .global_table_version("2019.11.21")
                .multi_region_consistency(MultiRegionConsistency::Strong)
                .build(),
        );
        let expected = [
            ("billing_mode", word("PAY_PER_REQUEST")),
            ("deletion_protection", TableFact::Flag(true)),
            ("global_table_version", word("2019.11.21")),
            ("kms_master_key_arn", word("arn:aws:kms:eu-central-1:1:key/1")),
            ("max_read_request_units", TableFact::Number(40)),
            ("multi_region_consistency", word("STRONG")),
            ("replicas", TableFact::Words(vec!["eu-west-1".to_owned(), "us-east-1".to_owned()])),
            ("sse_type", word("KMS")),
            ("stream_view_type", word("KEYS_ONLY")),
            ("table_class", word("STANDARD_INFREQUENT_ACCESS")),
        ];
        assert_eq!(told.facts, expected.into());
        let off = SseDescription::builder().status(SseStatus::Disabled).sse_type(SseType::Kms).build();
        let off = table(&Described::builder().sse_description(off).deletion_protection_enabled(false).build());
        assert_eq!(off.facts.keys().collect::<Vec<_>>(), [&"billing_mode", &"table_class"]);
    }

    #[test]
    fn indexes_say_how_they_are_searched_and_whether_they_can_be() {
        let projection = || Projection::builder().projection_type(ProjectionType::Include);
        let wide = GlobalSecondaryIndexDescription::builder()
            .index_name("wide")
            .key_schema(key_part("at", KeyType::Range))
            .key_schema(key_part("country", KeyType::Hash))
            .key_schema(key_part("town", KeyType::Hash))
            .projection(projection().non_key_attributes("b").non_key_attributes("a").build());
        let vector = VectorAttributeDefinition::builder().attribute_name("meaning").build().expect("an attribute");
        let vector = VectorIndexDescription::builder()
            .index_name("near")
            .vector_attribute(vector)
            .dimensions(768)
            .distance_function(VectorDistanceFunction::Cosine)
            .index_status(IndexStatus::Creating);
        let described = Described::builder().global_secondary_indexes(wide.build()).vector_indexes(vector.build());
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let expected = [
            TableIndex {
                name: "wide".to_owned(),
                method: "global",
                key: texts(&["country", "town", "at"]),
                include: texts(&["a", "b"]),
                is_active: true,
                facts: [("partition_attributes", TableFact::Number(2)), ("projection", word("INCLUDE"))].into(),
            },
            TableIndex {
                name: "near".to_owned(),
                method: "vector",
                key: texts(&["meaning"]),
                include: Vec::new(),
                is_active: false,
                facts: [("dimensions", TableFact::Number(768)), ("distance_function", word("COSINE"))].into(),
            },
        ];
        assert_eq!(table(&described.build()).indexes, expected);
        for (status, is_usable) in
            [(IndexStatus::Active, true), (IndexStatus::Updating, true), (IndexStatus::Deleting, false)]
        {
            assert_eq!(is_active(Some(&status)), is_usable, "{status:?}");
        }
    }
}
