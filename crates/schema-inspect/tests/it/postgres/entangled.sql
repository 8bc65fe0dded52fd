-- Names are such that their order is the wrong one everywhere.
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE TYPE b.z_mood AS ENUM ('sad', 'happy');
CREATE DOMAIN a.y_mood AS b.z_mood DEFAULT 'sad' CHECK (VALUE <> 'happy');
CREATE TYPE a.x_pair AS (mood a.y_mood, count integer);
CREATE FUNCTION b.is_even(n integer) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN n % 2 = 0;
CREATE DOMAIN a.even AS integer CONSTRAINT is_even CHECK (b.is_even(VALUE));
COMMENT ON CONSTRAINT is_even ON DOMAIN a.even IS 'by a routine';
COMMENT ON COLUMN a.x_pair.count IS 'how many';

CREATE TABLE b.parent (id integer DEFAULT 1 NOT NULL CONSTRAINT low CHECK (id < 100) NO INHERIT, note text);
CREATE TABLE a.child (PRIMARY KEY (id), own text) INHERITS (b.parent);
ALTER TABLE a.child ALTER COLUMN id SET DEFAULT 7, ALTER COLUMN note SET NOT NULL;
CREATE TABLE a.aaa (id integer PRIMARY KEY, whole b.parent, pair a.x_pair, even a.even CHECK (b.is_even(even)));
ALTER TABLE a.aaa ADD FOREIGN KEY (id) REFERENCES a.child (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE a.child ADD CONSTRAINT back FOREIGN KEY (id) REFERENCES a.aaa DEFERRABLE;
CREATE UNIQUE INDEX aaa_even ON a.aaa (even) WITH (fillfactor = 80) WHERE even > 2;
ALTER TABLE a.aaa CLUSTER ON aaa_pkey;
CREATE UNIQUE INDEX child_own ON a.child (note);
ALTER TABLE a.child REPLICA IDENTITY USING INDEX child_own;

CREATE FUNCTION a.all_of() RETURNS SETOF a.aaa LANGUAGE sql AS 'SELECT * FROM a.aaa';
CREATE VIEW b.under AS SELECT id, even FROM a.all_of();
CREATE VIEW a.above WITH (security_barrier = true) AS SELECT u.id, p.note FROM b.under u JOIN b.parent p USING (id);
CREATE FUNCTION a.count_above() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM a.above; END;
CREATE VIEW a.aaaa_counted AS SELECT a.count_above() AS n;
ALTER VIEW a.above ALTER COLUMN id SET DEFAULT 5;
CREATE MATERIALIZED VIEW a.aa_kept AS SELECT n FROM a.aaaa_counted;
CREATE INDEX kept_n ON a.aa_kept (n DESC);
COMMENT ON MATERIALIZED VIEW a.aa_kept IS E'two\nlines; -- and a ''quote''';
COMMENT ON COLUMN a.above.note IS '100 % $body$';
CREATE FUNCTION b.change() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN RETURN NULL; END$f$;
CREATE TRIGGER written INSTEAD OF INSERT ON a.above FOR EACH ROW EXECUTE FUNCTION b.change();
COMMENT ON TRIGGER written ON a.above IS 'nothing';

CREATE TABLE a.parts (id integer, at date) PARTITION BY HASH (id);
CREATE TABLE b.parts_0 PARTITION OF a.parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE b.parts_1 PARTITION OF a.parts FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 60);
ALTER TABLE b.parts_0 ADD PRIMARY KEY (id);
ALTER TABLE b.parts_1 ADD FOREIGN KEY (id) REFERENCES a.aaa;
CREATE TABLE a.to_part (id integer REFERENCES b.parts_0);
ALTER TABLE a.to_part ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON a.to_part TO CURRENT_USER WITH CHECK (id > 0);
REVOKE ALL ON FUNCTION b.is_even FROM PUBLIC;
GRANT USAGE ON TYPE a.x_pair TO pg_monitor WITH GRANT OPTION;
GRANT SELECT ON a.above, a.aa_kept TO pg_monitor;
GRANT USAGE ON SCHEMA a TO PUBLIC;
COMMENT ON DATABASE CURRENT_CATALOG_NAME IS '100 % "it''s" $body$';
