use super::build::{keyed, postgres};
use super::{finds, found, passes};
use schema_model::{Database, Identity, IdentityGeneration, ObjectName, Sequence, SequenceOptions, WholeNumber};

fn options(start: i128, increment: i128, minimum: i128, maximum: i128) -> SequenceOptions {
    SequenceOptions {
        start: WholeNumber(start),
        increment: WholeNumber(increment),
        minimum: WholeNumber(minimum),
        maximum: WholeNumber(maximum),
        cache: WholeNumber(1),
        cycle: false,
    }
}

fn with(options: SequenceOptions, column: &str) -> Database {
    let mut database = postgres(vec![keyed("goods", &[&format!("id {column}!")])]);
    database.namespaces[0].sequences = vec![Sequence {
        name: "numbers".to_owned(),
        data_type: "bigint".to_owned(),
        options,
        owned_by: Some((ObjectName::new("public", "goods"), "id".to_owned())),
        owner: None,
        comment: None,
        grants: Vec::new(),
    }];
    database
}

#[test]
fn a_sequence_that_outlasts_its_column_is_found() {
    let long = options(1, 1, 1, i128::from(i64::MAX));
    let database = with(long.clone(), "integer");
    finds(
        "sequence-end",
        &database,
        &["sequence `public.numbers` goes on to 9223372036854775807, and its column ends at 2147483647"],
    );
    assert!(found("sequence-end", &database)[0].evidence["last_value"].is_null(), "the model does not know it");
    passes("sequence-end", &with(long, "bigint"));
}

#[test]
fn a_sequence_of_few_numbers_is_found_unless_it_begins_again() {
    let few = options(5, -1, -100, 10);
    finds("sequence-end", &with(few.clone(), "bigint"), &["sequence `public.numbers` has no more than 106 numbers"]);
    passes("sequence-end", &with(SequenceOptions { cycle: true, ..few }, "bigint"));
    finds(
        "sequence-end",
        &with(options(2_147_480_000, 1, 1, 2_147_483_647), "bigint"),
        &["sequence `public.numbers` has no more than 3648 numbers"],
    );
}

#[test]
fn an_identity_is_a_sequence_too() {
    let mut goods = keyed("goods", &["id smallint!"]);
    let identity = |options| Some(Identity { generation: IdentityGeneration::Always, options: Some(options) });
    goods.columns[0].identity = identity(options(1, 1, 1, 32767));
    finds(
        "sequence-end",
        &postgres(vec![goods.clone()]),
        &["identity `id` of `public.goods` has no more than 32767 numbers"],
    );
    goods.columns[0].identity = identity(options(1, 1, 1, i128::from(i64::MAX)));
    goods.columns[0].data_type.text = "bigint".to_owned();
    passes("sequence-end", &postgres(vec![goods]));
}
