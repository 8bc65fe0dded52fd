use schema_diff::{Verdict, compare};
use schema_inspect::InspectOptions;
use schema_model::{Identities, Inspection};

use super::Sample;

fn lines(before: &Inspection, after: &Inspection) -> Vec<String> {
    compare(before, after).changes.iter().map(ToString::to_string).collect()
}

const BEFORE: &str = "\
    CREATE SCHEMA shop; \
    CREATE TYPE shop.state AS ENUM ('new', 'sold'); \
    CREATE SEQUENCE shop.numbers; \
    CREATE TABLE shop.makers (id integer PRIMARY KEY, name text NOT NULL); \
    CREATE TABLE shop.goods ( \
        id integer PRIMARY KEY DEFAULT nextval('shop.numbers'), maker integer NOT NULL REFERENCES shop.makers, \
        price numeric(10, 2) NOT NULL CHECK (price > 0), state shop.state, gone integer, note varchar(20), \
        twice numeric GENERATED ALWAYS AS (price * 2) STORED, UNIQUE (maker, price)); \
    CREATE INDEX by_price ON shop.goods (price, lower(note)) WHERE price > 5; \
    CREATE VIEW shop.cheap AS SELECT g.price, m.name FROM shop.goods g JOIN shop.makers m ON m.id = g.maker; \
    CREATE TABLE shop.old (id integer PRIMARY KEY, good integer REFERENCES shop.goods)";

#[test]
fn renames_are_told_as_such_and_once() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run(BEFORE).await;
        let before = sample.inspect(&InspectOptions::default()).await;
        sample
            .run(
                "ALTER TABLE shop.goods RENAME TO things; ALTER TABLE shop.things RENAME COLUMN price TO \"the cost\"; \
                 ALTER SEQUENCE shop.numbers RENAME TO counter; ALTER TYPE shop.state RENAME TO condition; \
                 ALTER INDEX shop.by_price RENAME TO by_cost; \
                 ALTER TABLE shop.things RENAME CONSTRAINT goods_price_check TO cost_check",
            )
            .await;
        let after = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(
            lines(&before, &after),
            [
                "breaking: renamed type shop.condition",
                "breaking: renamed sequence shop.counter",
                "breaking: renamed relation shop.things",
                "breaking: renamed column shop.things.the cost",
                "compatible: renamed check shop.things.cost_check",
                "compatible: renamed index shop.things.by_cost",
            ]
        );
        // A new name of the whole takes everything in it along.
        sample.run("ALTER SCHEMA shop RENAME TO store").await;
        let moved = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(lines(&after, &moved), ["breaking: renamed namespace store"]);
    });
}

#[test]
fn changes_are_told_by_what_they_break() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run(BEFORE).await;
        let before = sample.inspect(&InspectOptions::default()).await;
        sample
            .run(
                "DROP TABLE shop.old; ALTER TABLE shop.goods DROP COLUMN gone; \
                 ALTER TABLE shop.goods ALTER COLUMN note TYPE varchar(40), ALTER COLUMN maker DROP NOT NULL, ALTER COLUMN state SET NOT NULL; \
                 ALTER TYPE shop.state ADD VALUE 'lost'; ALTER TABLE shop.goods ADD COLUMN more text; \
                 ALTER TABLE shop.makers ADD UNIQUE (name); CREATE INDEX ON shop.goods (state); \
                 CREATE OR REPLACE VIEW shop.cheap AS \
                     SELECT g.price, m.name FROM shop.goods g JOIN shop.makers m ON m.id = g.maker WHERE g.price < 5",
            )
            .await;
        let after = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(
            lines(&before, &after),
            [
                "compatible: changed relation shop.cheap definition",
                "breaking: removed column shop.goods.gone",
                "compatible: changed column shop.goods.maker nullable",
                "compatible: added column shop.goods.more",
                "compatible: changed column shop.goods.note data_type",
                "breaking: changed column shop.goods.state nullable",
                "compatible: added index shop.goods.goods_state_idx",
                "breaking: added unique constraint shop.makers.makers_name_key",
                "breaking: removed relation shop.old",
                "compatible: changed type shop.state labels",
            ]
        );
        let same = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(compare(&after, &same).verdict, Verdict::Equal);
    });
}

#[test]
fn a_table_that_was_made_anew_under_its_old_name_is_compared_by_it() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run("CREATE TABLE a (x integer, y integer); CREATE TABLE b (x integer)").await;
        let before = sample.inspect(&InspectOptions::default()).await;
        sample.run("DROP TABLE a; CREATE TABLE a (y integer, x integer); ALTER TABLE b DROP COLUMN x, ADD COLUMN x integer").await;
        let after = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(lines(&before, &after), ["breaking: changed relation public.a column_order"]);
    });
}

/// Numbers of another database are told apart from those of this one.
#[test]
fn objects_are_numbered_by_their_database() {
    testkit::run(async {
        let (one, other) = (Sample::empty().await, Sample::empty().await);
        let script = "CREATE TABLE t (a integer, b integer); ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD c integer; \
            CREATE TABLE s (id integer GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE n; CREATE TYPE e AS ENUM ()";
        one.run(script).await;
        other.run(script).await;
        let identities = async |sample: &Sample| -> Identities {
            sample.inspect(&InspectOptions::default()).await.identities.expect("they are told")
        };
        let (here, there) = (identities(&one).await, identities(&other).await);
        assert_ne!(here.origin, there.origin);
        assert_eq!(here.origin, identities(&one).await.origin);
        let columns: Vec<(&str, &[i32])> =
            here.relations.iter().map(|relation| (relation.name.name.as_str(), relation.columns.as_slice())).collect();
        assert_eq!(columns, [("s", &[1][..]), ("t", &[2, 3][..])]);
        assert_eq!((here.sequences.len(), here.types.len()), (1, 1));
    });
}
