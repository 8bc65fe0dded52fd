//! Whenever a look finds something else than before, the stamp is another one.

use connection_manager::PasswordSource;
use schema_inspect::{InspectOptions, Stamp};
use schema_model::Inspection;
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, TransactionMode};

use super::Sample;

impl Sample {
    async fn stamp(&self) -> Stamp {
        crate::stamp(&*self.connection).await
    }
}

/// What more there is to be changed. `ROLE` is a name that nobody else has.
const PREPARED: &str = "\
    CREATE ROLE ROLE; \
    CREATE COLLATION shop.order_of_ours (locale = 'C'); \
    CREATE OPERATOR CLASS shop.ints FOR TYPE integer USING btree AS \
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer); \
    CREATE FUNCTION shop.alike(integer, integer) RETURNS boolean LANGUAGE sql RETURN $1 = $2; \
    CREATE OPERATOR shop.=== (FUNCTION = shop.alike, LEFTARG = integer, RIGHTARG = integer); \
    CREATE TEXT SEARCH CONFIGURATION shop.words (COPY = simple); \
    CREATE VIEW shop.odd AS SELECT name, number OPERATOR(shop.===) 1 AS is_one, \
        to_tsvector('shop.words'::regconfig, name) AS words FROM shop.makers; \
    CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER far FOREIGN DATA WRAPPER wrapper; \
    CREATE FOREIGN TABLE shop.away (a integer) SERVER far; \
    CREATE TABLE shop.further (a integer, b integer, c text COLLATE shop.order_of_ours); \
    CREATE INDEX of_ours ON shop.further (a shop.ints)";

/// One after the other, each changes what a look tells.
const CHANGES: &[&str] = &[
    "CREATE TABLE shop.extra (a integer NOT NULL)",
    "ALTER TABLE shop.extra RENAME TO more",
    "ALTER TABLE shop.more ADD COLUMN b text",
    "ALTER TABLE shop.more RENAME COLUMN b TO c",
    "ALTER TABLE shop.more ALTER COLUMN c TYPE varchar(20)",
    "ALTER TABLE shop.more ALTER COLUMN c SET NOT NULL",
    "ALTER TABLE shop.more ALTER COLUMN c SET DEFAULT 'x'",
    "ALTER TABLE shop.more ALTER COLUMN c SET DEFAULT 'y'",
    "ALTER TABLE shop.more ALTER COLUMN c DROP DEFAULT",
    "COMMENT ON COLUMN shop.more.c IS 'a note'",
    "COMMENT ON COLUMN shop.more.c IS 'another'",
    "COMMENT ON COLUMN shop.more.c IS NULL",
    "ALTER TABLE shop.more DROP COLUMN c",
    "COMMENT ON TABLE shop.more IS 'a table'",
    "ALTER TABLE shop.more SET (fillfactor = 50)",
    "ALTER TABLE shop.more SET UNLOGGED",
    "ALTER TABLE shop.more ADD CONSTRAINT more_key PRIMARY KEY (a)",
    "ALTER INDEX shop.more_key RENAME TO the_key",
    "CREATE INDEX by_a ON shop.more (a DESC)",
    "COMMENT ON INDEX shop.by_a IS 'an index'",
    "ALTER TABLE shop.more CLUSTER ON by_a",
    "ALTER TABLE shop.more REPLICA IDENTITY USING INDEX the_key",
    "DROP INDEX shop.by_a",
    "ALTER TABLE shop.goods VALIDATE CONSTRAINT cheap",
    "ALTER TABLE shop.goods RENAME CONSTRAINT cheap TO not_dear",
    "ALTER TABLE shop.goods DROP CONSTRAINT not_dear",
    "ALTER TABLE shop.goods ALTER CONSTRAINT made_by DEFERRABLE",
    "COMMENT ON CONSTRAINT made_by ON shop.goods IS 'by somebody'",
    "ALTER TABLE shop.goods ENABLE TRIGGER emptied",
    "ALTER TRIGGER touched ON shop.goods RENAME TO was_touched",
    "COMMENT ON TRIGGER was_touched ON shop.goods IS 'a trigger'",
    "DROP TRIGGER emptied ON shop.goods",
    "ALTER POLICY own_country ON shop.makers USING (country = 'fr')",
    "ALTER POLICY own_country ON shop.makers TO ROLE",
    "ALTER TABLE shop.makers FORCE ROW LEVEL SECURITY",
    "DROP POLICY own_country ON shop.makers",
    "ALTER TABLE shop.makers DISABLE ROW LEVEL SECURITY",
    "GRANT DELETE ON shop.makers TO PUBLIC",
    "REVOKE UPDATE (name) ON shop.makers FROM PUBLIC",
    "GRANT USAGE ON SCHEMA shop TO PUBLIC",
    "REVOKE USAGE ON TYPE shop.mood FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION shop.twice FROM PUBLIC",
    "GRANT SELECT ON shop.goods TO ROLE",
    "ALTER TABLE shop.more OWNER TO ROLE",
    "ALTER SCHEMA shop OWNER TO ROLE",
    "ALTER TYPE shop.mood OWNER TO ROLE",
    "ALTER FUNCTION shop.twice OWNER TO ROLE",
    "ALTER ROLE ROLE RENAME TO ROLE_renamed",
    "ALTER TYPE shop.mood ADD VALUE 'odd' BEFORE 'sad'",
    "ALTER TYPE shop.mood RENAME VALUE 'odd' TO 'even'",
    "ALTER TYPE shop.mood RENAME TO feeling",
    "COMMENT ON TYPE shop.feeling IS 'what it is like'",
    "ALTER TYPE shop.size ADD ATTRIBUTE depth integer",
    "ALTER TYPE shop.span RENAME TO length_of_time",
    "ALTER DOMAIN shop.positive SET DEFAULT 2",
    "ALTER DOMAIN shop.positive DROP NOT NULL",
    "ALTER DOMAIN shop.positive ADD CONSTRAINT small CHECK (VALUE < 100)",
    "ALTER DOMAIN shop.positive DROP CONSTRAINT above_zero",
    "CREATE OR REPLACE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'",
    "ALTER FUNCTION shop.touch() SECURITY DEFINER",
    "ALTER FUNCTION shop.touch() SET work_mem = '1MB'",
    "ALTER FUNCTION shop.counted() VOLATILE",
    "COMMENT ON FUNCTION shop.twice IS 'twice'",
    "DROP PROCEDURE shop.sweep()",
    "CREATE OR REPLACE VIEW shop.cheap_goods AS SELECT g.id, m.name FROM shop.goods g JOIN shop.makers m \
        ON m.number = g.maker_number WHERE g.price < 6",
    "ALTER VIEW shop.cheap_goods SET (security_barrier = true)",
    "ALTER MATERIALIZED VIEW shop.totals RENAME TO sums",
    "ALTER SEQUENCE shop.tickets INCREMENT BY -2",
    "ALTER SEQUENCE shop.tickets OWNED BY NONE",
    "ALTER SEQUENCE shop.tickets OWNED BY shop.goods.serial_number",
    "COMMENT ON SEQUENCE shop.tickets IS 'numbers'",
    "ALTER SEQUENCE shop.tickets RENAME TO numbers",
    "ALTER TABLE shop.goods ALTER COLUMN id SET INCREMENT 20",
    "ALTER TABLE shop.goods ALTER COLUMN id SET GENERATED BY DEFAULT",
    "ALTER TABLE shop.goods ALTER COLUMN id DROP IDENTITY",
    "ALTER TABLE shop.goods ALTER COLUMN doubled DROP EXPRESSION",
    "ALTER TABLE shop.sales DETACH PARTITION shop.sales_rest",
    "ALTER TABLE shop.sales ATTACH PARTITION shop.sales_rest FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
    "ALTER TABLE shop.derived NO INHERIT shop.base",
    "ALTER COLLATION shop.order_of_ours RENAME TO our_order",
    "ALTER OPERATOR CLASS shop.ints USING btree RENAME TO our_ints",
    "ALTER OPERATOR shop.===(integer, integer) SET SCHEMA public",
    "ALTER TEXT SEARCH CONFIGURATION shop.words RENAME TO terms",
    "COMMENT ON COLLATION shop.our_order IS 'ours'",
    "COMMENT ON OPERATOR public.===(integer, integer) IS 'ours'",
    "ALTER TEXT SEARCH CONFIGURATION shop.terms ALTER MAPPING FOR email WITH english_stem",
    "CREATE TEXT SEARCH TEMPLATE shop.plain (LEXIZE = dsimple_lexize)",
    "CREATE TEXT SEARCH DICTIONARY shop.as_is (TEMPLATE = shop.plain)",
    "ALTER TEXT SEARCH TEMPLATE shop.plain RENAME TO plainest",
    "ALTER TEXT SEARCH DICTIONARY shop.as_is RENAME TO unchanged",
    "CREATE TEXT SEARCH PARSER shop.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, \
        LEXTYPES = prsd_lextype)",
    "ALTER TEXT SEARCH PARSER shop.parser RENAME TO our_parser",
    "CREATE OPERATOR FAMILY shop.loose USING btree",
    "ALTER OPERATOR FAMILY shop.loose USING btree ADD OPERATOR 1 < (integer, bigint)",
    "ALTER OPERATOR FAMILY shop.loose USING btree ADD FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint)",
    "ALTER OPERATOR FAMILY shop.loose USING btree RENAME TO looser",
    "CREATE CAST (shop.feeling AS jsonb) WITH INOUT",
    "COMMENT ON CAST (shop.feeling AS jsonb) IS 'in quotes'",
    "DROP CAST (shop.feeling AS jsonb)",
    "CREATE TYPE shop.announced",
    "CREATE RULE noted AS ON DELETE TO shop.makers DO ALSO NOTIFY gone",
    "ALTER TABLE shop.makers DISABLE RULE noted",
    "COMMENT ON RULE noted ON shop.makers IS 'tells of it'",
    "DROP RULE noted ON shop.makers",
    "ALTER SERVER far RENAME TO farther",
    "ALTER EXTENSION plpgsql ADD FUNCTION shop.twice(integer, integer)",
    "ALTER EXTENSION plpgsql DROP FUNCTION shop.twice(integer, integer)",
    "ALTER EXTENSION plpgsql ADD TABLE shop.scratch",
    "COMMENT ON SCHEMA shop IS 'what was sold'",
    "COMMENT ON SCHEMA public IS 'for all'",
    "COMMENT ON DATABASE CURRENT_CATALOG_NAME IS 'smaller'",
    "CREATE SCHEMA empty",
    "DROP SCHEMA empty",
    "INSERT INTO shop.base SELECT 2 FROM generate_series(1, 30); ANALYZE shop.base",
    "DROP TABLE shop.more",
    "ALTER SCHEMA shop RENAME TO store",
];

/// All that is told, but for how it was found.
fn told(found: Inspection) -> Inspection {
    Inspection { report: schema_model::Report { gaps: found.report.gaps, ..Default::default() }, ..found }
}

#[test]
fn whatever_changes_a_look_changes_the_stamp() {
    testkit::run(async {
        let sample = Sample::new().await;
        let options = InspectOptions::default();
        let role = format!("role_of_{}", sample.database.name());
        let prepared = |text: &str| {
            text.replace("TO ROLE", &format!("TO {role}"))
                .replace("ROLE ROLE", &format!("ROLE {role}"))
                .replace("ROLE_renamed", &format!("{role}_renamed"))
                .replace("CURRENT_CATALOG_NAME", sample.database.name())
        };
        sample.run(&prepared(PREPARED)).await;
        let (mut stamp, mut found) = (sample.stamp().await, told(sample.inspect(&options).await));
        let mut unseen = Vec::new();
        for change in CHANGES {
            sample.run(&prepared(change)).await;
            let (stamp_now, found_now) = (sample.stamp().await, told(sample.inspect(&options).await));
            assert_ne!(found_now, found, "nothing is told of it: {change}");
            if stamp_now == stamp {
                unseen.push(change);
            }
            (stamp, found) = (stamp_now, found_now);
        }
        sample.run(&format!("DROP OWNED BY {role}_renamed CASCADE; DROP ROLE {role}_renamed")).await;
        assert!(unseen.is_empty(), "{unseen:#?}");
    });
}

/// `CREATE INDEX CONCURRENTLY` that fails leaves its index unready, which version 13 notes in the row's place.
#[test]
fn an_index_that_is_not_ready_changes_the_stamp() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run("CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (1)").await;
        let before = sample.stamp().await;
        let build = RawStatement::everywhere("CREATE", "CREATE UNIQUE INDEX CONCURRENTLY once ON t (a)").into();
        let sql = sample.connection.sql().expect("SQL");
        sql.execute(&build, &RequestContext::system()).await.expect_err("it is there twice");
        let failed = sample.stamp().await;
        assert_ne!(failed, before);
        sample.run("DELETE FROM t").await;
        let build = RawStatement::everywhere("REINDEX", "REINDEX INDEX once").into();
        sql.execute(&build, &RequestContext::system()).await.expect("there is nothing in the way");
        assert_ne!(sample.stamp().await, failed);
    });
}

#[test]
fn what_changes_no_schema_changes_no_stamp() {
    testkit::run(async {
        let sample = Sample::new().await;
        let context = RequestContext::system();
        let stamp = sample.stamp().await;
        sample.run("INSERT INTO shop.makers VALUES ('de', 1, 'one'); SELECT nextval('shop.tickets')").await;
        assert_eq!(sample.stamp().await, stamp, "rows");
        let other = testkit::connect(sample.database.settings()).await.expect("connected");
        let sql = other.sql().expect("SQL");
        sql.run_script("CREATE TEMPORARY TABLE mine (a serial PRIMARY KEY, b text DEFAULT 'x')", &context)
            .await
            .expect("a table of its session");
        assert_eq!((sample.stamp().await, crate::stamp(&*other).await), (stamp, stamp), "a session's own table");
        let migration = sql.begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
        for text in ["LOCK TABLE shop.goods IN ACCESS EXCLUSIVE MODE", "ALTER TABLE shop.goods ADD COLUMN later text"] {
            migration.execute(&RawStatement::everywhere("ALTER", text).into(), &context).await.expect("done");
        }
        assert_eq!(sample.stamp().await, stamp, "what is not committed, and locked");
        migration.rollback(&context).await.expect("rolled back");
        assert_eq!(sample.stamp().await, stamp, "what was rolled back");
    });
}

#[test]
fn a_stamp_belongs_to_a_database_and_a_login() {
    testkit::run(async {
        let (one, other) = (Sample::empty().await, Sample::empty().await);
        assert_ne!(one.stamp().await, other.stamp().await);
        let role = format!("reader_of_{}", one.database.name());
        one.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await;
        let stamp = one.stamp().await;
        let settings =
            one.database.settings().with_username(&role).with_password(PasswordSource::Literal("secret".into()));
        let reader = testkit::connect(settings).await.expect("connected");
        assert_ne!(crate::stamp(&*reader).await, stamp);
        drop(reader);
        one.run(&format!("DROP ROLE {role}")).await;
    });
}
