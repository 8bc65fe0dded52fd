use super::build::{database, index, key, keyed, postgres};
use super::{finds, found, passes};

#[test]
fn names_that_need_quotes_are_found_once_a_table_each_with_its_reason() {
    let goods = keyed("Goods", &["id bigint!", "order bigint", "unit-price bigint", "größe bigint", "price_2$ bigint"]);
    let database = postgres(vec![goods, keyed("user", &["id bigint!"])]);
    finds(
        "name-quoting",
        &database,
        &[
            "3 names of `public.Goods` must be written in quotes",
            "table `user` of `public.user` must be written in quotes",
        ],
    );
    let reasons: Vec<String> = found("name-quoting", &database)[0].evidence["names"]
        .as_array()
        .expect("names")
        .iter()
        .map(|name| format!("{}: {}", name["name"], name["reason"]))
        .collect();
    assert_eq!(
        reasons,
        [r#""Goods": "capital letters""#, r#""order": "reserved word""#, r#""unit-price": "characters""#]
    );
}

#[test]
fn what_needs_quotes_differs_from_engine_to_engine() {
    let named = |name: &str| vec![keyed(name, &["id bigint!"])];
    passes("name-quoting", &database("sqlite", named("Goods")));
    passes("name-quoting", &database("sqlite", named("user")));
    assert_eq!(found("name-quoting", &database("sqlite", named("order"))).len(), 1);
    assert_eq!(found("name-quoting", &database("mysql", named("groups"))).len(), 1);
    passes("name-quoting", &postgres(named("groups")));
    assert_eq!(found("name-quoting", &database("sqlserver", named("file"))).len(), 1);
}

#[test]
fn a_name_without_room_left_is_found() {
    let long = "n".repeat(60);
    // Four bytes each.
    let wide = "😀".repeat(15);
    let mut goods = keyed(&long, &["id bigint!", &format!("{wide} bigint")]);
    goods.indexes = vec![index(&"i".repeat(56), &["id"]), index(&"j".repeat(63), &["id"])];
    let mut kept = key(&"j".repeat(63), &["id"]);
    kept.index = kept.name.clone();
    goods.unique = vec![kept];
    let long_ones = found("name-length", &postgres(vec![goods.clone()]));
    let lengths: Vec<u64> = long_ones.iter().filter_map(|finding| finding.evidence["length"].as_u64()).collect();
    assert_eq!(lengths, [63, 60, 60], "a constraint and its index are one name");
    passes("name-length", &postgres(vec![keyed(&"n".repeat(56), &["id bigint!"])]));
    passes("name-length", &database("sqlite", vec![goods.clone()]));
    // In characters, the wide one is short.
    assert_eq!(found("name-length", &database("mysql", vec![goods])).len(), 2);
}
