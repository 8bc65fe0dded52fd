use std::sync::Arc;
use std::time::Duration;

use schema_inspect::InspectOptions;
use schema_model::{Gap, Inspection, PartTarget, Reading, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, SqlTransaction, Statement, TransactionMode};

use super::{Sample, relation};

const LOCKED: Option<Unavailable> = Some(Unavailable::Locked);

/// Patient enough for everything but a wait for somebody's lock.
fn impatient() -> InspectOptions {
    InspectOptions { lock_wait: Duration::from_hours(1), ..InspectOptions::default() }
}

async fn lock<'a>(sample: &'a Sample, what: &str, context: &'a RequestContext) -> Box<dyn SqlTransaction> {
    let sql = sample.connection.sql().expect("SQL");
    let transaction = sql.begin(TransactionMode::ReadWrite, context).await.expect("a transaction");
    transaction.run_script(&format!("LOCK TABLE {what} IN ACCESS EXCLUSIVE MODE"), context).await.expect("locked");
    transaction
}

/// Everything but what belongs to these relations is as it was without any lock.
#[track_caller]
fn the_rest_is_the_same(found: &Inspection, whole: &Inspection, but: &[&str]) {
    let rest = |inspection: &Inspection| {
        let mut database = inspection.database.clone();
        for namespace in &mut database.namespaces {
            namespace.relations.retain(|relation| !but.contains(&relation.name.as_str()));
            namespace.routines.retain(|routine| routine.name != "counted");
        }
        database
    };
    assert_eq!(rest(found), rest(whole));
    let objects: Vec<&str> =
        found.report.gaps.iter().filter_map(|gap| gap.object.as_ref()).map(|object| object.name.as_str()).collect();
    assert!(objects.iter().all(|object| but.contains(object) || *object == "counted"), "{objects:?}");
}

#[test]
fn a_migration_that_holds_a_lock_is_not_waited_for() {
    testkit::run(async {
        let sample = Sample::new().await;
        let whole = sample.inspect(&impatient()).await;
        let context = RequestContext::system();
        let migration = lock(&sample, "shop.goods, shop.sales_2025_eu", &context).await;
        let found = sample.inspect(&impatient()).await;
        migration.rollback(&context).await.expect("rolled back");
        assert_eq!(found.report.statements, 11, "at the first try");
        let goods = relation(&found, "goods");
        let column = |name: &str| goods.column(name).expect("a column");
        assert_eq!(column("price").default, Some(Reading::Known("0".to_owned())), "a default needs no lock");
        assert_eq!(column("doubled").generated.as_ref().expect("generated").expression.reason(), LOCKED);
        assert_eq!(goods.checks.iter().filter(|check| check.expression.reason() == LOCKED).count(), 2);
        let words = goods.indexes.iter().find(|index| index.name == "goods_words").expect("the index");
        assert_eq!(words.predicate.as_ref().and_then(Reading::reason), LOCKED);
        assert!(
            matches!(&words.parts[0].target, PartTarget::Expression(text) if text.reason() == LOCKED)
                && matches!(&words.parts[1].target, PartTarget::Column(name) if name == "price")
        );
        assert_eq!(goods.foreign_keys, relation(&whole, "goods").foreign_keys, "keys are no expressions");
        assert_eq!(goods.primary_key, relation(&whole, "goods").primary_key);
        for view in ["cheap_goods", "totals"] {
            assert_eq!(relation(&found, view).definition.as_ref().and_then(Reading::reason), LOCKED, "{view}");
            assert_eq!(relation(&found, view).uses, relation(&whole, view).uses);
        }
        let sales = relation(&found, "sales").partitioning.as_ref().expect("partitions");
        assert_eq!(sales.partitions[1].bound, Reading::Known("DEFAULT".to_owned()));
        let inner = sales.partitions[0].partitioning.as_ref().expect("partitions");
        assert_eq!(inner.partitions[0].bound.reason(), LOCKED);
        let gap = |part: &str| Gap {
            object: Some(schema_model::ObjectName::new("shop", "goods")),
            part: part.to_owned(),
            reason: Unavailable::Locked,
        };
        for part in ["checks", "generated", "indexes", "triggers"] {
            assert!(found.report.gaps.contains(&gap(part)), "{part}: {:?}", found.report.gaps);
        }
        the_rest_is_the_same(&found, &whole, &["goods", "cheap_goods", "totals", "sales", "sales_2025_eu"]);
        assert_eq!(sample.inspect(&impatient()).await.database, whole.database, "it is whole again");
    });
}

/// It writes somewhere else than it is on.
#[test]
fn a_rule_that_uses_a_locked_table_is_not_waited_for() {
    testkit::run(async {
        let sample = Sample::new().await;
        sample
            .run(
                "CREATE TABLE shop.noted (a text); CREATE RULE note AS ON DELETE TO shop.makers \
            DO ALSO INSERT INTO shop.noted VALUES (old.name); \
            CREATE RULE far AS ON UPDATE TO shop.cheap_goods DO INSTEAD DELETE FROM shop.noted",
            )
            .await;
        let whole = sample.inspect(&impatient()).await;
        let context = RequestContext::system();
        let migration = lock(&sample, "shop.noted", &context).await;
        let found = sample.inspect(&impatient()).await;
        migration.rollback(&context).await.expect("rolled back");
        assert_eq!(found.report.statements, 11, "at the first try");
        let view = relation(&found, "cheap_goods");
        for rule in [&relation(&found, "makers").rules[0], &view.rules[0]] {
            assert_eq!(rule.definition.reason(), LOCKED);
        }
        assert!(view.definition.as_ref().and_then(Reading::known).is_some(), "its rows come from elsewhere");
        assert_eq!(view.uses, relation(&whole, "cheap_goods").uses);
        let parts: Vec<&str> = found.report.gaps.iter().map(|gap| gap.part.as_str()).collect();
        assert_eq!(parts, ["rules", "rules"]);
        assert_eq!(sample.inspect(&impatient()).await.database, whole.database, "it is whole again");
    });
}

#[test]
fn a_migration_that_waits_for_a_lock_is_not_waited_for_either() {
    testkit::run(async {
        let sample = Arc::new(Sample::new().await);
        let whole = sample.inspect(&impatient()).await;
        let context = RequestContext::system();
        let sql = sample.connection.sql().expect("SQL");
        let reader = sql.begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
        reader.run_script("LOCK TABLE shop.makers IN ACCESS SHARE MODE", &context).await.expect("locked");
        let waiting = tokio::spawn({
            let sample = Arc::clone(&sample);
            async move {
                let context = RequestContext::system();
                lock(&sample, "shop.makers", &context).await.rollback(&context).await.expect("rolled back");
            }
        });
        let waits: Statement = RawStatement::everywhere(
            "SELECT",
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() \
             WHERE NOT l.granted",
        )
        .into();
        testkit::eventually_some(Duration::from_secs(30), || {
            let (waits, context) = (&waits, &context);
            async move {
                let row = sql.query_one(waits, context).await.expect("an answer").expect("a row");
                (row.get::<i64>(0).expect("a number") > 0).then_some(())
            }
        })
        .await;
        let found = sample.inspect(&impatient()).await;
        reader.rollback(&context).await.expect("rolled back");
        waiting.await.expect("it got its lock");
        let policy = &relation(&found, "makers").row_security.as_ref().expect("policies").policies[0];
        assert_eq!(policy.using.as_ref().and_then(Reading::reason), LOCKED);
        the_rest_is_the_same(&found, &whole, &["makers", "cheap_goods"]);
    });
}
