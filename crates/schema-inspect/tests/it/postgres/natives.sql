-- What only PostgreSQL has under a name, and who uses it. Names are as nobody should have them.
CREATE SCHEMA "o'ur "".s";
CREATE SCHEMA plain;
CREATE TABLE plain.t (a text, n integer);

-- Collations: one that hides behind a name of the engine's, and two of one name.
CREATE COLLATION "o'ur "".s"."C" (PROVIDER = icu, LOCALE = 'de');
CREATE COLLATION "o'ur "".s"."no ""case" (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION plain."no ""case" (LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
COMMENT ON COLLATION "o'ur "".s"."no ""case" IS 'it''s ours';
CREATE DOMAIN plain.word AS text COLLATE "o'ur "".s"."C" CHECK (VALUE > 'a' COLLATE "o'ur "".s"."no ""case");
CREATE TYPE plain.pair AS (x text COLLATE plain."no ""case", y text);
CREATE TABLE plain.sorted (
    one text COLLATE "o'ur "".s"."no ""case",
    other text COLLATE plain."no ""case",
    third text COLLATE "o'ur "".s"."C",
    fourth text COLLATE "C",
    w plain.word
);
CREATE INDEX of_ours ON plain.sorted (one COLLATE "o'ur "".s"."C", other, lower(third) COLLATE plain."no ""case");
CREATE VIEW plain.ordered AS SELECT a FROM plain.t ORDER BY a COLLATE "o'ur "".s"."no ""case";

-- Text search.
CREATE TEXT SEARCH TEMPLATE plain."tem.plate" (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH PARSER plain.parser (
    START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline
);
CREATE TEXT SEARCH DICTIONARY plain."dict "";" (TEMPLATE = pg_catalog.snowball, Language = english, StopWords = english);
CREATE TEXT SEARCH DICTIONARY "o'ur "".s".simple (TEMPLATE = plain."tem.plate", Accept = false);
CREATE TEXT SEARCH CONFIGURATION "o'ur "".s"."words
--" (PARSER = plain.parser);
ALTER TEXT SEARCH CONFIGURATION "o'ur "".s"."words
--" ADD MAPPING FOR asciiword, word, hword_asciipart WITH plain."dict "";", "o'ur "".s".simple, simple;
ALTER TEXT SEARCH CONFIGURATION "o'ur "".s"."words
--" ADD MAPPING FOR email, url WITH simple;
CREATE TEXT SEARCH CONFIGURATION plain.empty (PARSER = "default");
COMMENT ON TEXT SEARCH CONFIGURATION plain.empty IS 'nothing';
COMMENT ON TEXT SEARCH DICTIONARY plain."dict "";" IS 'stems';
CREATE TABLE plain.found (
    a text DEFAULT 'x',
    words tsvector GENERATED ALWAYS AS (to_tsvector('"o''ur "".s"."words
--"'::regconfig, a)) STORED
);
CREATE INDEX by_words ON plain.found USING gin (to_tsvector('"o''ur "".s"."words
--"'::regconfig, a));
CREATE VIEW plain.searched AS SELECT to_tsvector('"o''ur "".s"."words
--"'::regconfig, a) AS words FROM plain.t;

-- Operators, and what sorts by them.
CREATE TYPE plain.amount AS (currency text, value numeric);
CREATE FUNCTION plain.compare(plain.amount, plain.amount) RETURNS integer LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN sign(($1).value - ($2).value); END';
CREATE FUNCTION plain.less(plain.amount, plain.amount) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN plain.compare($1, $2) < 0;
CREATE FUNCTION plain.more(plain.amount, plain.amount) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN plain.compare($1, $2) > 0;
CREATE FUNCTION plain.same(plain.amount, plain.amount) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN plain.compare($1, $2) = 0;
CREATE FUNCTION plain.at_most(plain.amount, plain.amount) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS 'SELECT plain.compare($1, $2) <= 0';
CREATE FUNCTION plain.at_least(plain.amount, plain.amount) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS 'SELECT plain.compare($1, $2) >= 0';
CREATE OPERATOR plain.<# (FUNCTION = plain.less, LEFTARG = plain.amount, RIGHTARG = plain.amount,
    COMMUTATOR = OPERATOR(plain.>#), NEGATOR = OPERATOR(plain.>=#), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR plain.># (FUNCTION = plain.more, LEFTARG = plain.amount, RIGHTARG = plain.amount,
    COMMUTATOR = OPERATOR(plain.<#), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR plain.=# (FUNCTION = plain.same, LEFTARG = plain.amount, RIGHTARG = plain.amount,
    COMMUTATOR = OPERATOR(plain.=#), RESTRICT = eqsel, JOIN = eqjoinsel, MERGES, HASHES);
CREATE OPERATOR plain.<=# (FUNCTION = plain.at_most, LEFTARG = plain.amount, RIGHTARG = plain.amount);
CREATE OPERATOR plain.>=# (FUNCTION = plain.at_least, LEFTARG = plain.amount, RIGHTARG = plain.amount,
    NEGATOR = OPERATOR(plain.<#));
CREATE FUNCTION plain.worth(plain.amount) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT ($1).value';
CREATE OPERATOR "o'ur "".s".@# (FUNCTION = plain.worth, RIGHTARG = plain.amount);
COMMENT ON OPERATOR "o'ur "".s".@# (NONE, plain.amount) IS 'how much';
COMMENT ON OPERATOR plain.=# (plain.amount, plain.amount) IS 'worth the same';
CREATE OPERATOR FAMILY plain."by worth" USING btree;
CREATE OPERATOR CLASS plain."by worth" FOR TYPE plain.amount USING btree FAMILY plain."by worth" AS
    OPERATOR 1 plain.<#, OPERATOR 2 plain.<=#, OPERATOR 3 plain.=#, OPERATOR 4 plain.>=#, OPERATOR 5 plain.>#,
    FUNCTION 1 plain.compare(plain.amount, plain.amount);
COMMENT ON OPERATOR CLASS plain."by worth" USING btree IS 'least first';
CREATE FUNCTION plain.hashed(plain.amount) RETURNS integer LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN hashtext(($1).currency); END';
-- Of the same name, as its family is that comes with it.
CREATE OPERATOR CLASS plain."by worth" FOR TYPE plain.amount USING hash AS
    OPERATOR 1 plain.=#, FUNCTION 1 plain.hashed(plain.amount);
CREATE OPERATOR FAMILY "o'ur "".s"."loose ones" USING btree;
ALTER OPERATOR FAMILY "o'ur "".s"."loose ones" USING btree ADD
    OPERATOR 1 < (integer, bigint), FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint);
COMMENT ON OPERATOR FAMILY "o'ur "".s"."loose ones" USING btree IS 'for no class';
CREATE TABLE plain.prices (price plain.amount, during tsrange, CHECK (price OPERATOR(plain.>#) ROW('EUR', 0)::plain.amount));
CREATE INDEX dearest ON plain.prices (price plain."by worth" DESC);
CREATE VIEW plain.dear AS SELECT OPERATOR("o'ur "".s".@#) price AS worth FROM plain.prices WHERE price OPERATOR(plain.>#) ROW('EUR', 9)::plain.amount;
CREATE FUNCTION plain.dearer(plain.amount) RETURNS boolean LANGUAGE sql RETURN $1 OPERATOR(plain.>#) ROW('EUR', 9)::plain.amount;
CREATE FUNCTION plain.alike(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR "o'ur "".s".= (FUNCTION = plain.alike, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR("o'ur "".s".=));
CREATE OPERATOR CLASS "o'ur "".s".ints FOR TYPE integer USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 "o'ur "".s".=, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE TABLE plain.taken (n integer, m integer, EXCLUDE USING btree (n "o'ur "".s".ints WITH OPERATOR("o'ur "".s".=), m WITH =));

-- Casts.
CREATE FUNCTION plain.to_amount(numeric) RETURNS plain.amount LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN ROW(''EUR'', $1); END';
CREATE CAST (numeric AS plain.amount) WITH FUNCTION plain.to_amount(numeric) AS IMPLICIT;
CREATE CAST (plain.amount AS numeric) WITH FUNCTION plain.worth(plain.amount) AS ASSIGNMENT;
CREATE CAST (plain.pair AS jsonb) WITH INOUT;
COMMENT ON CAST (plain.amount AS numeric) IS 'without its currency';
CREATE VIEW plain.converted AS SELECT n::numeric::plain.amount AS amount FROM plain.t;
CREATE FUNCTION plain.converted(numeric) RETURNS plain.amount LANGUAGE sql RETURN $1::plain.amount;

-- Rules.
CREATE TABLE plain.log (what text);
CREATE VIEW plain.writable AS SELECT a FROM plain.t;
CREATE RULE "instead; --" AS ON INSERT TO plain.writable DO INSTEAD INSERT INTO plain.t (a) VALUES (new.a);
CREATE RULE never AS ON DELETE TO plain.writable DO INSTEAD NOTHING;
CREATE RULE also AS ON UPDATE TO plain.t WHERE old.a <> new.a DO
    (INSERT INTO plain.log VALUES ('it''s "changed"'); DELETE FROM plain.log WHERE what = old.a);
ALTER TABLE plain.t DISABLE RULE also;
CREATE RULE always AS ON DELETE TO plain.t DO ALSO NOTIFY gone;
ALTER TABLE plain.t ENABLE ALWAYS RULE always;
COMMENT ON RULE also ON plain.t IS 'keeps a log';

-- NULL is refused by the domain, by the column, or by both.
CREATE DOMAIN plain.needed AS integer NOT NULL;
CREATE TABLE plain.nulls (a plain.needed NOT NULL, b plain.needed, c plain.needed[] NOT NULL);
