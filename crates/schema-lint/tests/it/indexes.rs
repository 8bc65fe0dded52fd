use super::build::{index, key, keyed, partition, partitioned, postgres};
use super::{finds, found, passes};
use schema_model::{Index, PartTarget, Reading, Relation, Unavailable};

fn with(indexes: Vec<Index>) -> Relation {
    let mut goods = keyed("goods", &["id bigint!", "code text", "shop text", "price numeric"]);
    goods.indexes = indexes;
    goods
}

fn unique(mut index: Index) -> Index {
    index.unique = true;
    index
}

fn partial(mut index: Index, predicate: &str) -> Index {
    index.predicate = Some(Reading::Known(predicate.to_owned()));
    index
}

#[test]
fn the_same_index_twice_is_found_and_the_one_of_a_constraint_stays() {
    finds(
        "duplicate-index",
        &postgres(vec![with(vec![index("a", &["code"]), index("b", &["code"])])]),
        &["index `b` of `public.goods` is the same as `a`"],
    );
    let mut goods = with(vec![unique(index("a", &["code"])), unique(index("kept", &["code"]))]);
    let mut code_once = key("code_once", &["code"]);
    code_once.index = Some("kept".to_owned());
    goods.unique = vec![code_once];
    finds("duplicate-index", &postgres(vec![goods]), &["index `a` of `public.goods` is the same as `kept`"]);
}

#[test]
fn indexes_that_differ_in_anything_are_not_the_same() {
    let base = || index("a", &["code"]);
    let mut hash = index("b", &["code"]);
    hash.method = "hash".to_owned();
    let mut collated = index("b", &["code"]);
    collated.parts[0].collation = Some("C".to_owned());
    let mut class = index("b", &["code"]);
    class.parts[0].operator_class = Some("text_pattern_ops".to_owned());
    let mut wider = index("b", &["code"]);
    wider.include = vec!["price".to_owned()];
    let mut invalid = index("b", &["code"]);
    invalid.valid = false;
    let others = [
        hash,
        collated,
        class,
        wider,
        invalid,
        unique(index("b", &["code"])),
        partial(index("b", &["code"]), "price > 1"),
    ];
    for other in others.into_iter().chain([index("b", &["code desc"]), index("b", &["shop"])]) {
        passes("duplicate-index", &postgres(vec![with(vec![base(), other])]));
    }
    // What could not be read is the same as nothing.
    let mut locked = index("a", &["code"]);
    locked.parts[0].target = PartTarget::Expression(Reading::unavailable(Unavailable::Locked));
    let mut also = locked.clone();
    also.name = "b".to_owned();
    passes("duplicate-index", &postgres(vec![with(vec![locked, also])]));
}

#[test]
fn the_beginning_of_a_longer_index_is_found() {
    let found_with = |short: Index, long: Index| found("prefix-index", &postgres(vec![with(vec![short, long])])).len();
    finds(
        "prefix-index",
        &postgres(vec![with(vec![index("short", &["code"]), index("long", &["code", "shop"])])]),
        &["index `short` of `public.goods` is the beginning of `long`"],
    );
    assert_eq!(found_with(index("a", &["code"]), index("b", &["code desc", "shop"])), 1, "it is read from behind");
    assert_eq!(found_with(index("a", &["code"]), unique(index("b", &["code"]))), 1, "a unique one serves as well");
    assert_eq!(found_with(index("a", &["code", "shop"]), index("b", &["code", "shop desc", "price"])), 0);
    assert_eq!(found_with(index("a", &["shop"]), index("b", &["code", "shop"])), 0, "it is not the beginning");
    assert_eq!(found_with(unique(index("a", &["code"])), index("b", &["code", "shop"])), 0, "it keeps rows apart");
    assert_eq!(
        found_with(index("a", &["code"]), partial(index("b", &["code", "shop"]), "price > 1")),
        0,
        "not all rows"
    );
    assert_eq!(found_with(partial(index("a", &["code"]), "p"), partial(index("b", &["code", "shop"]), "p")), 1);
    let mut gist = index("b", &["code", "shop"]);
    gist.method = "gist".to_owned();
    assert_eq!(found_with(index("a", &["code"]), gist), 0, "it is not sorted");
    let mut wider = index("a", &["code"]);
    wider.include = vec!["price".to_owned()];
    assert_eq!(found_with(wider.clone(), index("b", &["code", "shop"])), 0, "it holds more");
    assert_eq!(found_with(wider, index("b", &["code", "price"])), 1, "the longer one holds it too");
    let mut collated = index("b", &["code", "shop"]);
    collated.parts[0].collation = Some("C".to_owned());
    assert_eq!(found_with(index("a", &["code"]), collated), 0);
}

#[test]
fn an_index_that_is_not_valid_is_found_in_a_part_too() {
    let mut broken = index("broken", &["code"]);
    broken.valid = false;
    let mut part = partition("goods_2025");
    part.indexes = vec![broken.clone()];
    let goods = partitioned(with(vec![broken]), vec![part]);
    finds(
        "invalid-index",
        &postgres(vec![goods]),
        &["index `broken` of `public.goods` is not valid", "index `broken` of `public.goods_2025` is not valid"],
    );
    passes("invalid-index", &postgres(vec![with(vec![index("whole", &["code"])])]));
}

/// Many indexes begin with the same column, and none of them holds what the short ones hold: the first of them are looked at alone.
#[test]
fn a_short_index_is_compared_with_a_few_of_the_longer_ones() {
    let with_longer = |count: usize| {
        let mut short = index("short", &["a"]);
        short.include = vec!["x".to_owned()];
        let longer = (0..count).map(|number| index(&format!("i{number}"), &["a", &format!("b{number}")]));
        let last = index("holds", &["a", "x"]);
        postgres(vec![with(std::iter::once(short).chain(longer).chain([last]).collect())])
    };
    finds("prefix-index", &with_longer(63), &["index `short` of `public.goods` is the beginning of `holds`"]);
    passes("prefix-index", &with_longer(64));
}

#[test]
fn an_index_that_is_long_is_shown_by_its_name() {
    let names: Vec<String> = (0..200).map(|number| format!("column_{number}")).collect();
    let names: Vec<&str> = std::iter::once("code").chain(names.iter().map(String::as_str)).collect();
    let shown = found("prefix-index", &postgres(vec![with(vec![index("short", &["code"]), index("long", &names)])]));
    let longer = &shown[0].evidence["covered_by"];
    assert_eq!((longer["name"].as_str(), longer["parts"].is_null()), (Some("long"), true));
    assert_eq!(shown[0].evidence["index"]["parts"][0]["column"].as_str(), Some("code"));
}
