CREATE SCHEMA shop;
CREATE SCHEMA "Odd ""schema"".--;
名前 😀";
COMMENT ON SCHEMA shop IS 'what is sold';
COMMENT ON DATABASE CURRENT_CATALOG_NAME IS 'a small hard sample';

CREATE TYPE shop.mood AS ENUM ('sad', 'it''s "fine"', 'happy');
CREATE DOMAIN shop.positive AS integer NOT NULL DEFAULT 1 CONSTRAINT above_zero CHECK (VALUE > 0);
CREATE TYPE shop.size AS (width numeric(10,2), tags text[], label varchar(20) COLLATE "C");
CREATE TYPE shop.span AS RANGE (subtype = timestamptz);
COMMENT ON TYPE shop.mood IS 'how it feels';

CREATE SEQUENCE shop.tickets AS smallint START 5 INCREMENT -1 MINVALUE -100 MAXVALUE 10 CACHE 7 CYCLE;

CREATE TABLE shop.makers (
    country char(2) NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (number, country),
    UNIQUE NULLS NOT DISTINCT (name) INCLUDE (country)
);

CREATE TABLE shop.goods (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
    gone integer,
    code varchar(12) COLLATE "C" NOT NULL DEFAULT 'x''y',
    price numeric(10,2) DEFAULT 0 CHECK (price >= 0),
    matrix integer[][],
    feels shop.mood DEFAULT 'happy',
    amount shop.positive,
    box shop.size,
    valid shop.span,
    serial_number integer NOT NULL DEFAULT nextval('shop.tickets'),
    made timestamp(3) with time zone DEFAULT now(),
    doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
    maker_country char(2),
    maker_number integer,
    parent bigint REFERENCES shop.goods ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT made_by FOREIGN KEY (maker_number, maker_country) REFERENCES shop.makers (number, country)
        MATCH FULL ON UPDATE CASCADE ON DELETE RESTRICT,
    CONSTRAINT code_once UNIQUE (code, maker_country) DEFERRABLE
);
ALTER TABLE shop.goods DROP COLUMN gone;
ALTER SEQUENCE shop.tickets OWNED BY shop.goods.serial_number;
ALTER TABLE shop.goods ADD CONSTRAINT cheap CHECK (price < 1000) NOT VALID;
COMMENT ON TABLE shop.goods IS 'what there is';
COMMENT ON COLUMN shop.goods.price IS 'in euros; "net"';
COMMENT ON CONSTRAINT made_by ON shop.goods IS 'by whom';
CREATE INDEX goods_words ON shop.goods (lower(code) DESC NULLS LAST, price, (price + 1)) INCLUDE (made) WHERE price > 1;
CREATE INDEX goods_pattern ON shop.goods (code text_pattern_ops, code COLLATE "POSIX");
CREATE INDEX goods_feels ON shop.goods USING hash (feels);
COMMENT ON INDEX shop.goods_words IS 'for searching';

CREATE TABLE shop.bookings (
    room integer,
    during tstzrange,
    EXCLUDE USING gist (during WITH &&, (int4range(room, room + 1)) WITH &&)
);

CREATE TABLE shop.sales (sold date NOT NULL, region text NOT NULL, amount integer CHECK (amount > 0), PRIMARY KEY (sold, region))
    PARTITION BY RANGE (sold);
CREATE TABLE shop.sales_2025 PARTITION OF shop.sales FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (region);
CREATE TABLE shop.sales_2025_eu PARTITION OF shop.sales_2025 FOR VALUES IN ('de', 'fr');
CREATE TABLE shop.sales_rest PARTITION OF shop.sales DEFAULT;
CREATE INDEX sales_amount ON shop.sales (amount);
CREATE INDEX only_here ON shop.sales_rest (region);
ALTER TABLE shop.sales_rest ADD CONSTRAINT only_here CHECK (region <> '');

CREATE TABLE shop.base (a integer CHECK (a > 1));
CREATE TABLE shop.derived (b integer) INHERITS (shop.base);
CREATE UNLOGGED TABLE shop.scratch (a integer) WITH (fillfactor = 70);

CREATE VIEW shop.cheap_goods AS SELECT g.id, m.name FROM shop.goods g JOIN shop.makers m ON m.number = g.maker_number WHERE g.price < 5;
CREATE MATERIALIZED VIEW shop.totals AS SELECT feels, count(*) AS n FROM shop.goods GROUP BY feels;
CREATE UNIQUE INDEX totals_feels ON shop.totals (feels);

CREATE FUNCTION shop.joined(one text, other text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT one || '', '' || other';
CREATE AGGREGATE shop."list of" (text) (SFUNC = shop.joined, STYPE = text, INITCOND = 'it''s: ', PARALLEL = SAFE);
CREATE AGGREGATE shop.middle (double precision ORDER BY anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE shop.how_many (*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0', MSFUNC = int8inc, MINVFUNC = int8dec,
    MSTYPE = bigint, MINITCOND = '0');
COMMENT ON AGGREGATE shop.how_many (*) IS 'of all';
GRANT EXECUTE ON FUNCTION shop.how_many() TO CURRENT_USER;
CREATE VIEW shop.listed AS SELECT shop."list of"(g) AS names, shop.how_many(*) AS number FROM (VALUES ('a'), ('b')) AS v (g);
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION shop.twice(n integer, times integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN n * times;
CREATE FUNCTION shop.counted() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM shop.goods; END;
CREATE PROCEDURE shop.sweep() LANGUAGE sql AS 'DELETE FROM shop.scratch';
COMMENT ON FUNCTION shop.twice IS 'two times';
CREATE TRIGGER touched BEFORE UPDATE OF price, code ON shop.goods FOR EACH ROW WHEN (old.price IS DISTINCT FROM new.price)
    EXECUTE FUNCTION shop.touch();
CREATE TRIGGER emptied AFTER TRUNCATE OR DELETE ON shop.goods FOR EACH STATEMENT EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.goods DISABLE TRIGGER emptied;

ALTER TABLE shop.makers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_country ON shop.makers AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (country = 'de') WITH CHECK (country <> 'xx');

GRANT SELECT, INSERT ON shop.makers TO PUBLIC;
GRANT UPDATE (name) ON shop.makers TO PUBLIC;

CREATE TABLE "Odd ""schema"".--;
名前 😀"."ta.ble "" -- ' 😀" ("co;l ""umn 名" integer PRIMARY KEY, "--" text);
CREATE INDEX "i n d.e""x" ON "Odd ""schema"".--;
名前 😀"."ta.ble "" -- ' 😀" ("--" DESC);
CREATE TABLE shop.refunds (sold date, region text, FOREIGN KEY (sold, region) REFERENCES shop.sales);
