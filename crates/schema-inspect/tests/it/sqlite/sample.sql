PRAGMA user_version = 7;
CREATE TABLE makers (country text NOT NULL, number integer NOT NULL, name text COLLATE NOCASE, PRIMARY KEY (number, country)) WITHOUT ROWID;
CREATE TABLE goods (
    id integer PRIMARY KEY AUTOINCREMENT,
    code varchar(12) COLLATE NOCASE NOT NULL DEFAULT 'x''y' CONSTRAINT code_once UNIQUE,
    price numeric(10,2) DEFAULT (1 + 1) CHECK (price >= 0), -- in euros, (net)
    doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
    halved AS (price / 2),
    made datetime DEFAULT CURRENT_TIMESTAMP,
    maker_country text,
    maker_number int,
    parent integer REFERENCES goods ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT made_by FOREIGN KEY (maker_number, maker_country) REFERENCES Makers ON UPDATE CASCADE ON DELETE RESTRICT,
    CONSTRAINT cheap CHECK (price < 1000),
    UNIQUE (maker_country, code)
);
CREATE INDEX goods_words ON goods (lower(code) DESC, price, code COLLATE RTRIM) WHERE price > 1;
CREATE TABLE strict_one (a integer, b blob, c any) STRICT;
CREATE VIEW cheap_goods AS SELECT g.id, g.code AS "the code" FROM goods g WHERE g.price < 5;
CREATE TRIGGER touched AFTER UPDATE OF price, code ON goods BEGIN DELETE FROM strict_one; END;
CREATE TRIGGER instead INSTEAD OF DELETE ON cheap_goods BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE words USING fts5(title, body);
CREATE TABLE "ta.ble "" -- '
名 😀" ("co;l ""umn 名" integer PRIMARY KEY, "--" text);
CREATE INDEX "i n d.e""x" ON "ta.ble "" -- '
名 😀" ("--" DESC);
