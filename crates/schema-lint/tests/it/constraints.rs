use super::build::{check, foreign_key, keyed, partition, partitioned, postgres};
use super::{finds, passes};
use schema_model::{
    DataType, Reading, Trigger, TriggerEvent, TriggerLevel, TriggerTiming, TypeFamily, UserType, UserTypeKind,
};

#[test]
fn constraints_that_hold_for_some_rows_or_none_are_found() {
    let mut goods = keyed("goods", &["id bigint!", "maker bigint"]);
    goods.foreign_keys = vec![foreign_key("made_by", &["maker makers.id"])];
    goods.checks = vec![check("cheap")];
    let mut part = partition("goods_2025");
    part.checks = vec![check("this_year")];
    passes("unchecked-constraint", &postgres(vec![partitioned(goods.clone(), vec![part.clone()])]));
    goods.foreign_keys[0].validated = false;
    goods.checks[0].enforced = false;
    part.checks[0].validated = false;
    finds(
        "unchecked-constraint",
        &postgres(vec![partitioned(goods, vec![part])]),
        &[
            "`made_by` of `public.goods` was never checked against the rows before it",
            "`cheap` of `public.goods` is not enforced",
            "`this_year` of `public.goods_2025` was never checked against the rows before it",
        ],
    );
}

#[test]
fn conditions_of_domains_count_too() {
    let base =
        DataType { text: "bigint".to_owned(), family: TypeFamily::Integer, user_type: None, array_dimensions: 0 };
    let mut late = check("positive");
    late.validated = false;
    let mut database = postgres(Vec::new());
    database.namespaces[0].types = vec![UserType {
        name: "amount".to_owned(),
        kind: UserTypeKind::Domain {
            base,
            nullable: true,
            default: None,
            collation: None,
            collation_namespace: None,
            checks: vec![late],
        },
        owner: None,
        comment: None,
        grants: Vec::new(),
    }];
    finds(
        "unchecked-constraint",
        &database,
        &["`positive` of `public.amount` was never checked against the rows before it"],
    );
}

#[test]
fn a_trigger_that_is_turned_off_is_found() {
    let trigger = |name: &str, enabled| Trigger {
        name: name.to_owned(),
        timing: TriggerTiming::After,
        events: vec![TriggerEvent::Insert],
        columns: Vec::new(),
        level: TriggerLevel::Row,
        routine: None,
        definition: Reading::Known("CREATE TRIGGER".to_owned()),
        enabled,
        comment: None,
        native: schema_model::Native::new(),
    };
    let mut goods = keyed("goods", &["id bigint!"]);
    goods.triggers = vec![trigger("on", true)];
    passes("disabled-trigger", &postgres(vec![goods.clone()]));
    goods.triggers.push(trigger("off", false));
    finds("disabled-trigger", &postgres(vec![goods]), &["trigger `off` of `public.goods` is turned off"]);
}
