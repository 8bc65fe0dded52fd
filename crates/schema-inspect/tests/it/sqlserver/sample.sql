CREATE SCHEMA shop
GO
CREATE SCHEMA [Odd "schema".--]] 名前 😀]
GO
CREATE ROLE readers
GO
CREATE TYPE shop.phone FROM nvarchar(20) NOT NULL
GO
CREATE TYPE shop.order_lines AS TABLE (line int NOT NULL PRIMARY KEY, amount decimal(9,2) NULL)
GO
CREATE SEQUENCE shop.tickets AS smallint START WITH 5 INCREMENT BY -1 MINVALUE -100 MAXVALUE 10 CYCLE CACHE 7
GO
CREATE TABLE shop.makers (
    country char(2) NOT NULL,
    number int NOT NULL,
    name nvarchar(100) COLLATE Latin1_General_BIN2 NOT NULL,
    CONSTRAINT makers_pk PRIMARY KEY NONCLUSTERED (number, country),
    CONSTRAINT makers_name UNIQUE CLUSTERED (name DESC)
)
GO
CREATE TABLE shop.goods (
    id bigint IDENTITY(100, 10) NOT NULL CONSTRAINT goods_pk PRIMARY KEY,
    gone int NULL,
    code varchar(12) NOT NULL CONSTRAINT goods_code DEFAULT 'x''y',
    price decimal(10,2) NULL CONSTRAINT goods_price CHECK (price >= 0),
    doubled AS (CONVERT(decimal(12,2), price * 2)) PERSISTED,
    label AS (ISNULL(code + '!', '')),
    phone shop.phone NOT NULL,
    note xml NULL,
    made datetime2(3) NOT NULL,
    row_guid uniqueidentifier ROWGUIDCOL NOT NULL CONSTRAINT goods_guid DEFAULT NEWSEQUENTIALID(),
    seen rowversion NOT NULL,
    maker_country char(2) NULL,
    maker_number int NULL,
    parent bigint NULL,
    CONSTRAINT made_by FOREIGN KEY (maker_number, maker_country) REFERENCES shop.makers (number, country)
        ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT goods_parent FOREIGN KEY (parent) REFERENCES shop.goods (id)
)
GO
ALTER TABLE shop.goods DROP COLUMN gone
GO
ALTER TABLE shop.goods NOCHECK CONSTRAINT goods_parent
GO
ALTER TABLE shop.goods WITH NOCHECK ADD CONSTRAINT cheap_enough CHECK (price < 1000)
GO
CREATE INDEX goods_made ON shop.goods (made DESC, code) INCLUDE (price) WHERE price > 1 WITH (FILLFACTOR = 80)
GO
CREATE INDEX goods_old ON shop.goods (seen)
GO
ALTER INDEX goods_old ON shop.goods DISABLE
GO
CREATE PRIMARY XML INDEX goods_note ON shop.goods (note)
GO
CREATE TABLE shop.prices (
    id int NOT NULL CONSTRAINT prices_pk PRIMARY KEY,
    amount money NOT NULL,
    valid_from datetime2(7) GENERATED ALWAYS AS ROW START NOT NULL,
    valid_to datetime2(7) GENERATED ALWAYS AS ROW END NOT NULL,
    PERIOD FOR SYSTEM_TIME (valid_from, valid_to)
) WITH (SYSTEM_VERSIONING = ON (HISTORY_TABLE = shop.prices_history))
GO
CREATE PARTITION FUNCTION by_year (date) AS RANGE RIGHT FOR VALUES ('2025-01-01', '2026-01-01')
GO
CREATE PARTITION SCHEME by_year_all AS PARTITION by_year ALL TO ([PRIMARY])
GO
CREATE TABLE shop.sales (
    sold date NOT NULL,
    amount int NOT NULL,
    CONSTRAINT sales_pk PRIMARY KEY (sold, amount)
) ON by_year_all (sold)
GO
CREATE TABLE shop.facts (n int NOT NULL, label nvarchar(10) NULL)
GO
CREATE CLUSTERED COLUMNSTORE INDEX facts_columns ON shop.facts
GO
CREATE TABLE [Odd "schema".--]] 名前 😀].[ta.ble " -- ' 😀] (
    [co;l "umn 名] int NOT NULL CONSTRAINT [odd' key] PRIMARY KEY,
    [--] nvarchar(max) NULL
)
GO
CREATE VIEW shop.cheap WITH SCHEMABINDING AS SELECT g.code, m.name FROM shop.goods AS g JOIN shop.makers AS m ON m.number = g.maker_number WHERE g.price < 5 WITH CHECK OPTION
GO
CREATE VIEW shop.secret WITH ENCRYPTION AS SELECT number FROM shop.makers
GO
CREATE FUNCTION shop.twice (@n int, @times tinyint = 2) RETURNS bigint AS BEGIN RETURN @n * @times END
GO
CREATE FUNCTION shop.of_maker (@number int) RETURNS TABLE AS RETURN (SELECT code FROM shop.goods WHERE maker_number = @number)
GO
CREATE TABLE shop.seen (country char(2) NOT NULL)
GO
CREATE FUNCTION shop.may_see (@country char(2)) RETURNS TABLE WITH SCHEMABINDING AS RETURN (SELECT country FROM shop.seen WHERE country = @country)
GO
CREATE PROCEDURE shop.sweep @lines shop.order_lines READONLY, @count int OUTPUT WITH EXECUTE AS OWNER AS SET @count = 0
GO
CREATE SECURITY POLICY shop.own_country ADD FILTER PREDICATE shop.may_see(country) ON shop.makers, ADD BLOCK PREDICATE shop.may_see(country) ON shop.makers AFTER INSERT WITH (STATE = ON)
GO
CREATE TRIGGER shop.touched ON shop.goods AFTER INSERT, UPDATE AS SET NOCOUNT ON
GO
DISABLE TRIGGER shop.touched ON shop.goods
GO
CREATE TRIGGER shop.no_deletes ON shop.secret INSTEAD OF DELETE AS SET NOCOUNT ON
GO
CREATE SYNONYM shop.things FOR shop.goods
GO
GRANT SELECT, INSERT ON shop.makers TO public
GO
GRANT UPDATE ON shop.makers (name) TO public
GO
DENY DELETE ON shop.makers TO readers
GO
GRANT EXECUTE ON shop.twice TO readers WITH GRANT OPTION
GO
GRANT SELECT ON SCHEMA::shop TO readers
GO
EXEC sp_addextendedproperty 'MS_Description', 'a small hard sample'
GO
EXEC sp_addextendedproperty 'MS_Description', 'what is sold', 'SCHEMA', 'shop'
GO
EXEC sp_addextendedproperty 'MS_Description', 'how to call', 'SCHEMA', 'shop', 'TYPE', 'phone'
GO
EXEC sp_addextendedproperty 'MS_Description', 'what there is', 'SCHEMA', 'shop', 'TABLE', 'goods'
GO
EXEC sp_addextendedproperty 'MS_Description', 'in euros; "net"', 'SCHEMA', 'shop', 'TABLE', 'goods', 'COLUMN', 'price'
GO
EXEC sp_addextendedproperty 'MS_Description', 'by whom', 'SCHEMA', 'shop', 'TABLE', 'goods', 'CONSTRAINT', 'made_by'
GO
EXEC sp_addextendedproperty 'MS_Description', 'for searching', 'SCHEMA', 'shop', 'TABLE', 'goods', 'INDEX', 'goods_made'
GO
