use super::build::{column, database, key, keyed, partition, partitioned, postgres, table};
use super::{finds, found, passes};
use schema_model::{Identity, IdentityGeneration, Reading, RelationKind};

#[test]
fn a_table_without_a_primary_key_is_found_and_its_candidates_are_named() {
    let mut lacking = table("goods", &["code text!", "note text"]);
    lacking.unique = vec![key("code_once", &["code"]), key("note_once", &["note"])];
    let database = postgres(vec![lacking]);
    finds("no-primary-key", &database, &["table `public.goods` has no primary key"]);
    let candidates = &found("no-primary-key", &database)[0].evidence["candidates"];
    assert_eq!(*candidates, serde_json::json!([["code"]]));
}

#[test]
fn keys_of_the_table_or_of_each_part_are_enough() {
    let mut by_part = partition("sales_2025");
    by_part.primary_key = Some(key("pk", &["id"]));
    let of_parts = partitioned(table("sales", &["id bigint!"]), vec![by_part.clone()]);
    let mut view = table("shown", &["id bigint"]);
    view.kind = RelationKind::View;
    passes("no-primary-key", &postgres(vec![keyed("goods", &["id bigint!"]), of_parts, view]));
    // One part without is one too many.
    let some = partitioned(table("sales", &["id bigint!"]), vec![by_part, partition("rest")]);
    assert_eq!(found("no-primary-key", &postgres(vec![some])).len(), 1);
}

#[test]
fn a_unique_constraint_that_lets_null_through_is_found() {
    let mut goods = keyed("goods", &["id bigint!", "code text", "shop text!"]);
    goods.unique = vec![key("code_once", &["shop", "code"])];
    let database = postgres(vec![goods.clone()]);
    finds("nullable-unique", &database, &["rows of `public.goods` with NULL are never the same to `code_once`"]);
    assert_eq!(found("nullable-unique", &database)[0].evidence["nullable"], serde_json::json!(["code"]));
    goods.unique[0].nulls_distinct = false;
    passes("nullable-unique", &postgres(vec![goods.clone()]));
    goods.unique = vec![key("shop_once", &["shop"])];
    passes("nullable-unique", &postgres(vec![goods]));
}

#[test]
fn a_small_key_that_is_counted_is_found() {
    let mut serial = keyed("goods", &["id integer!"]);
    serial.columns[0].default = Some(Reading::Known("nextval('public.goods_id_seq'::regclass)".to_owned()));
    let mut identity = keyed("makers", &["id smallint!"]);
    identity.columns[0].identity = Some(Identity { generation: IdentityGeneration::Always, options: None });
    let database_of_small = postgres(vec![serial.clone(), identity]);
    finds(
        "small-key",
        &database_of_small,
        &["key `id` of `public.goods` ends at 2147483647", "key `id` of `public.makers` ends at 32767"],
    );
    // On MySQL one without a sign goes twice as far.
    let mut unsigned = keyed("goods", &["id int unsigned!"]);
    unsigned.columns[0].native.insert("auto_increment".to_owned(), true.into());
    finds("small-key", &database("mysql", vec![unsigned]), &["key `id` of `public.goods` ends at 4294967295"]);
    // What nobody counts does not end, and a row of SQLite has eight bytes.
    passes("small-key", &postgres(vec![keyed("countries", &["number integer!"])]));
    passes("small-key", &database("sqlite", vec![serial.clone()]));
    serial.columns[0].data_type = column("id bigint!").data_type;
    passes("small-key", &postgres(vec![serial]));
}
