use super::build::{database, foreign_key, index, key, keyed, partition, partitioned, postgres};
use super::{finds, found, passes};
use schema_model::{DataType, Deferrability, ObjectName, Reading, Relation, TypeFamily, UserType, UserTypeKind};

fn goods() -> Relation {
    let mut goods = keyed("goods", &["id bigint!", "maker bigint", "land text"]);
    goods.foreign_keys = vec![foreign_key("made_by", &["maker makers.id", "land makers.land"])];
    goods
}

fn makers() -> Relation {
    keyed("makers", &["id bigint!", "land text!"])
}

#[test]
fn a_foreign_key_without_an_index_is_found() {
    finds(
        "unindexed-foreign-key",
        &postgres(vec![goods(), makers()]),
        &["no index of `public.goods` begins with the columns of `made_by`"],
    );
}

#[test]
fn any_index_that_begins_with_its_columns_is_enough() {
    let count = |indexes| {
        let mut goods = goods();
        goods.indexes = indexes;
        found("unindexed-foreign-key", &postgres(vec![goods, makers()])).len()
    };
    assert_eq!(count(vec![index("a", &["land", "maker", "id"])]), 0, "in any order");
    assert_eq!(count(vec![index("a", &["maker"])]), 1, "one column of two");
    assert_eq!(count(vec![index("a", &["id", "maker", "land"])]), 1, "it does not begin with them");
    let mut partial = index("a", &["maker", "land"]);
    partial.predicate = Some(Reading::Known("(maker IS NOT NULL)".to_owned()));
    assert_eq!(count(vec![partial.clone()]), 0, "rows with NULL refer to nothing");
    partial.predicate = Some(Reading::Known("(id > 5)".to_owned()));
    assert_eq!(count(vec![partial]), 1);
    let mut invalid = index("a", &["maker", "land"]);
    invalid.valid = false;
    assert_eq!(count(vec![invalid]), 1);
    // The number of a row of SQLite is its own index.
    let mut extended = keyed("extended", &["id bigint!"]);
    extended.foreign_keys = vec![foreign_key("of", &["id makers.id"])];
    passes("unindexed-foreign-key", &database("sqlite", vec![extended, makers()]));
}

#[test]
fn a_key_of_more_columns_than_any_engine_has_is_not_looked_at() {
    let with = |count: usize| {
        let mut goods = keyed("goods", &["id bigint!"]);
        let pairs: Vec<String> = (0..count).map(|number| format!("c{number} makers.d{number}")).collect();
        let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
        goods.foreign_keys = vec![foreign_key("wide", &pairs)];
        postgres(vec![goods, makers()])
    };
    assert_eq!(found("unindexed-foreign-key", &with(64)).len(), 1);
    passes("unindexed-foreign-key", &with(65));
}

#[test]
fn a_part_has_the_indexes_of_its_table() {
    let mut part = partition("goods_2025");
    part.foreign_keys = vec![foreign_key("part_made_by", &["maker makers.id"])];
    let mut whole = keyed("goods", &["id bigint!", "maker bigint"]);
    whole.indexes = vec![index("of_all", &["maker"])];
    passes("unindexed-foreign-key", &postgres(vec![partitioned(whole.clone(), vec![part.clone()]), makers()]));
    whole.indexes.clear();
    finds(
        "unindexed-foreign-key",
        &postgres(vec![partitioned(whole, vec![part]), makers()]),
        &["no index of `public.goods_2025` begins with the columns of `part_made_by`"],
    );
}

#[test]
fn different_types_at_the_ends_are_found() {
    let with = |engine: &str, here: &str, there: &str| {
        let mut goods = keyed("goods", &["id bigint!", &format!("maker {here}")]);
        goods.foreign_keys = vec![foreign_key("made_by", &["maker makers.id"])];
        found("foreign-key-types", &database(engine, vec![goods, keyed("makers", &[&format!("id {there}!")])]))
    };
    let mismatch = with("postgres", "integer", "bigint");
    assert_eq!(mismatch[0].message, "`maker` of `public.goods` is integer and leads to bigint `id`");
    assert_eq!(with("mysql", "int", "int unsigned").len(), 1);
    assert_eq!(with("postgres", "numeric", "bigint").len(), 1);
    for (engine, here, there) in [
        ("postgres", "bigint", "bigint"),
        ("postgres", "character varying(10)", "text"),
        ("postgres", "numeric(10,2)", "numeric(12,2)"),
        ("sqlite", "int", "INTEGER"),
    ] {
        assert_eq!(with(engine, here, there), [], "{here} and {there}");
    }
}

#[test]
fn a_domain_is_what_it_rests_on_and_a_part_is_its_table() {
    let base =
        DataType { text: "bigint".to_owned(), family: TypeFamily::Integer, user_type: None, array_dimensions: 0 };
    let domain = UserType {
        name: "maker_id".to_owned(),
        kind: UserTypeKind::Domain {
            base,
            nullable: true,
            default: None,
            collation: None,
            collation_namespace: None,
            checks: Vec::new(),
        },
        owner: None,
        comment: None,
        grants: Vec::new(),
    };
    let mut goods = keyed("goods", &["id bigint!", "maker public.maker_id"]);
    goods.columns[1].data_type.user_type = Some(ObjectName::new("public", "maker_id"));
    goods.foreign_keys = vec![foreign_key("made_by", &["maker makers_old.id"])];
    let makers = partitioned(makers(), vec![partition("makers_old")]);
    let mut database = postgres(vec![goods, makers]);
    assert_eq!(found("foreign-key-types", &database).len(), 1, "an unknown type is another one");
    database.namespaces[0].types.push(domain);
    passes("foreign-key-types", &database);
}

#[test]
fn a_circle_is_found_once_however_many_keys_it_has() {
    let table = |name: &str, to: &[&str]| {
        let columns: Vec<String> = to.iter().map(|other| format!("{other} bigint")).collect();
        let columns: Vec<&str> = std::iter::once("id bigint!").chain(columns.iter().map(String::as_str)).collect();
        let mut table = keyed(name, &columns);
        table.foreign_keys =
            to.iter().map(|other| foreign_key(&format!("to_{other}"), &[&format!("{other} {other}.id")])).collect();
        table
    };
    let circular =
        postgres(vec![table("a", &["b", "c"]), table("b", &["c"]), table("c", &["a", "c"]), table("d", &["a"])]);
    finds("foreign-key-cycle", &circular, &["`public.a`, `public.b`, `public.c` refer to each other in a circle"]);
    let keys = found("foreign-key-cycle", &circular)[0].evidence["foreign_keys"].as_array().map(Vec::len);
    assert_eq!(keys, Some(4), "what leads in from outside, and to itself, is no part of it");
    let two = postgres(vec![table("a", &["b"]), table("b", &["a"]), table("c", &["d"]), table("d", &["c"])]);
    assert_eq!(found("foreign-key-cycle", &two).len(), 2);
    // Neither a table that refers to itself nor two ways to one table.
    passes("foreign-key-cycle", &postgres(vec![table("a", &["a", "b", "c"]), table("b", &["c"]), table("c", &[])]));
    // By its parts, a table refers to itself.
    let mut part = partition("a_old");
    part.foreign_keys = vec![foreign_key("back", &["b a.id"])];
    passes("foreign-key-cycle", &postgres(vec![partitioned(keyed("a", &["id bigint!", "b bigint"]), vec![part])]));
}

#[test]
fn the_evidence_of_a_circle_says_which_key_can_wait() {
    let mut a = keyed("a", &["id bigint!", "b bigint!"]);
    a.foreign_keys = vec![foreign_key("to_b", &["b b.id"])];
    a.foreign_keys[0].deferrability = Deferrability::InitiallyDeferred;
    let mut b = keyed("b", &["id bigint!", "a bigint"]);
    b.foreign_keys = vec![foreign_key("to_a", &["a a.id"])];
    b.unique = vec![key("once", &["a"])];
    let found = found("foreign-key-cycle", &postgres(vec![a, b]));
    let facts = |at: usize| {
        let key = &found[0].evidence["foreign_keys"][at];
        (key["deferrable"].as_bool(), key["nullable"].as_bool())
    };
    assert_eq!((facts(0), facts(1)), ((Some(true), Some(false)), (Some(false), Some(true))));
}
