CREATE TABLE makers (
    id int unsigned NOT NULL,
    country char(2) NOT NULL,
    name varchar(40) CHARACTER SET latin1 COLLATE latin1_german1_ci DEFAULT 'Müller''s \\ "Söhne"' COMMENT 'what it''s called',
    PRIMARY KEY (country, id),
    UNIQUE KEY called (name(10) DESC)
) COMMENT 'who makes it, 名';
CREATE TABLE goods (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    maker_country char(2),
    maker int unsigned,
    base bigint unsigned,
    label varchar(60) COLLATE utf8mb4_general_ci NOT NULL DEFAULT '',
    kind enum('a', 'it''s', 'ä,b') NOT NULL DEFAULT 'it''s',
    tags set('x', 'y', 'z') DEFAULT 'x,z',
    code int(6) unsigned zerofill DEFAULT 42,
    price decimal(10,2) DEFAULT 1.5,
    ratio double DEFAULT 1e10,
    is_sold tinyint(1) NOT NULL DEFAULT 0,
    flags bit(5) DEFAULT b'10101',
    raw varbinary(8) DEFAULT 'ab',
    picture mediumblob,
    made date DEFAULT '2020-02-29',
    made_in year DEFAULT 2020,
    changed timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
    noted datetime DEFAULT NULL,
    lasts time(2),
    details json,
    place point NOT NULL,
    doubled decimal(12,2) GENERATED ALWAYS AS (price * 2) STORED,
    shown varchar(80) GENERATED ALWAYS AS (concat(label, ' it''s é ', kind)) VIRTUAL,
    hidden int INVISIBLE,
    words text COLLATE utf8mb4_general_ci,
    token varchar(36) DEFAULT (uuid()),
    CONSTRAINT priced CHECK (price >= 0 AND label <> 'it''s é \\'),
    CONSTRAINT `odd ``check` CHECK (code <> 7),
    CONSTRAINT made_by FOREIGN KEY (maker_country, maker) REFERENCES makers (country, id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT based_on FOREIGN KEY (base) REFERENCES goods (id) ON DELETE CASCADE,
    UNIQUE KEY code_and_label (code, label),
    KEY priced_and_made (price DESC, made) COMMENT 'for the list',
    KEY beginning (label(5), words(10)),
    FULLTEXT KEY words_in (label, words),
    SPATIAL KEY placed (place)
) ROW_FORMAT=COMPRESSED COMMENT 'what is sold';
CREATE TABLE sales (
    sold_on date NOT NULL,
    good bigint NOT NULL,
    PRIMARY KEY (sold_on, good)
) PARTITION BY RANGE (year(sold_on)) SUBPARTITION BY HASH (good) SUBPARTITIONS 2 (
    PARTITION old VALUES LESS THAN (2020) COMMENT = 'it''s over',
    PARTITION fresh VALUES LESS THAN MAXVALUE
);
CREATE TABLE regions (code varchar(5), size int) PARTITION BY LIST COLUMNS (code) (
    PARTITION north VALUES IN ('no', 'it''s'),
    PARTITION south VALUES IN ('so', NULL)
);
CREATE TABLE spread (id int) PARTITION BY KEY (id) PARTITIONS 2;
CREATE TABLE old_engine (id int, name varchar(20) COLLATE utf8mb4_general_ci, KEY (id)) ENGINE=MyISAM COLLATE=utf8mb4_general_ci;
CREATE TABLE log (id int);
CREATE SQL SECURITY INVOKER VIEW cheap AS SELECT id, label FROM goods WHERE price < 10 AND label <> 'it''s é' WITH LOCAL CHECK OPTION;
CREATE VIEW cheap_makers AS SELECT m.name, c.id FROM cheap c JOIN goods g ON g.id = c.id JOIN makers m ON m.id = g.maker;
CREATE TRIGGER goods_first BEFORE INSERT ON goods FOR EACH ROW SET NEW.label = trim(NEW.label);
CREATE TRIGGER goods_second BEFORE INSERT ON goods FOR EACH ROW FOLLOWS goods_first BEGIN SET NEW.price = abs(NEW.price); SET NEW.code = 1; END;
CREATE TRIGGER goods_after AFTER DELETE ON goods FOR EACH ROW INSERT INTO log VALUES (OLD.id);
CREATE EVENT cleaning ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2030-01-01 00:00:00' ENDS '2031-01-01 00:00:00'
    ON COMPLETION PRESERVE DISABLE COMMENT 'it''s clean' DO DELETE FROM log;
CREATE EVENT once ON SCHEDULE AT '2037-01-01 12:00:00' DISABLE DO DELETE FROM log WHERE id = 1;
CREATE FUNCTION twice(n int unsigned, `the label` varchar(10)) RETURNS decimal(10,2) DETERMINISTIC NO SQL
    COMMENT 'it doubles' RETURN n * 2;
CREATE PROCEDURE twice(IN n int, OUT m decimal(5,2), INOUT k varchar(3)) SQL SECURITY INVOKER SET m = n * 2;
CREATE TABLE `ta.ble `` " -- ';
名` (
    `co;l ``umn
" 名` int,
    KEY `in.dex '
-- 名` (`co;l ``umn
" 名`),
    CONSTRAINT `ch.eck "名` CHECK (`co;l ``umn
" 名` > 0)
);
