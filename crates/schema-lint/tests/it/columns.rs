use super::build::{database, keyed, postgres, table};
use super::{finds, passes};

#[test]
fn money_in_binary_fractions_is_found() {
    finds(
        "float-money",
        &postgres(vec![keyed("goods", &["id bigint!", "unitPrice real", "tax_rate double precision", "weight real"])]),
        &[
            "`unitPrice` of `public.goods` seems to be money and is real",
            "`tax_rate` of `public.goods` seems to be money and is double precision",
        ],
    );
    passes("float-money", &postgres(vec![keyed("goods", &["id bigint!", "price numeric(10,2)", "priceless real"])]));
}

#[test]
fn a_timestamp_of_no_place_is_found_in_postgres_alone() {
    let goods =
        || keyed("goods", &["id bigint!", "made timestamp(3) without time zone", "sold timestamp with time zone"]);
    finds("timestamp-without-zone", &postgres(vec![goods()]), &["`made` of `public.goods` is a time of no place"]);
    passes("timestamp-without-zone", &database("mysql", vec![goods()]));
}

#[test]
fn a_text_that_is_filled_up_is_found_in_postgres_alone() {
    let goods = || keyed("goods", &["id bigint!", "land character(2)", "name character varying(20)"]);
    finds("char-column", &postgres(vec![goods()]), &["`land` of `public.goods` is character(2)"]);
    passes("char-column", &database("mysql", vec![goods()]));
}

#[test]
fn tables_with_nothing_or_nothing_certain_in_them_are_found() {
    let database =
        postgres(vec![table("empty", &[]), table("loose", &["a text", "b text"]), keyed("goods", &["id bigint!"])]);
    finds("no-columns", &database, &["table `public.empty` has no columns"]);
    finds("nothing-required", &database, &["every column of `public.loose` may be NULL"]);
    let whole = postgres(vec![table("half", &["a text!", "b text"])]);
    passes("no-columns", &whole);
    passes("nothing-required", &whole);
}
