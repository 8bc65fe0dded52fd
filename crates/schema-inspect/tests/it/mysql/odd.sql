ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci;
CREATE TABLE `a; ``table -- x` (
    id int NOT NULL PRIMARY KEY,
    `b;"c\d` int COMMENT 'a \\ and
a line',
    `with \ ``` int,
    KEY led (`b;"c\d`)
) COMMENT 'back\\slash; ''quote''';
CREATE TABLE z_first (id int NOT NULL PRIMARY KEY, other int, KEY others (other));
ALTER TABLE `a; ``table -- x` ADD CONSTRAINT `to ``the other` FOREIGN KEY (`b;"c\d`) REFERENCES z_first (id) ON DELETE RESTRICT;
ALTER TABLE z_first ADD CONSTRAINT to_the_one FOREIGN KEY (other) REFERENCES `a; ``table -- x` (id) ON UPDATE SET NULL;
CREATE TABLE quick (id int NOT NULL, name varchar(10), PRIMARY KEY (id) USING BTREE, KEY named (name) USING HASH) ENGINE=MEMORY;
CREATE TABLE idle (id int, KEY idle_id (id)) ENGINE=MyISAM MAX_ROWS=1000 CHECKSUM=1;
ALTER TABLE idle DISABLE KEYS;
CREATE TABLE small_blocks (id int, day datetime NOT NULL DEFAULT '2000-01-01', note text DEFAULT (concat('a', 'b')))
    ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 STATS_PERSISTENT=1;
CREATE TABLE by_two (a int, b int) PARTITION BY RANGE COLUMNS (a, b) (
    PARTITION z VALUES LESS THAN (1, MAXVALUE), PARTITION b VALUES LESS THAN (2, 5), PARTITION a VALUES LESS THAN (MAXVALUE, MAXVALUE)
);
CREATE TABLE by_pairs (a int, b varchar(10)) PARTITION BY LIST COLUMNS (a, b) (PARTITION p VALUES IN ((1, 'it''s'), (2, NULL)));
CREATE TABLE by_key (a int NOT NULL PRIMARY KEY) PARTITION BY LINEAR KEY () PARTITIONS 2;
CREATE TABLE by_hash (a int) PARTITION BY LINEAR HASH (a * 2) PARTITIONS 3;
CREATE FUNCTION tripled(n int) RETURNS int DETERMINISTIC NO SQL RETURN n * 3;
CREATE VIEW c_last AS SELECT tripled(id) AS n, 'it''s \\' AS said FROM z_first;
CREATE VIEW b_middle AS SELECT c_last.n FROM c_last;
CREATE VIEW a_first AS SELECT b_middle.n FROM b_middle JOIN c_last ON c_last.n = b_middle.n;
CREATE VIEW small AS SELECT id FROM z_first WHERE id < 5 WITH CASCADED CHECK OPTION;
SET sql_mode = 'ANSI_QUOTES';
CREATE TRIGGER `tr;ig` BEFORE UPDATE ON `a; ``table -- x` FOR EACH ROW SET NEW."with \ `" = 1;
SET sql_mode = 'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT';
CREATE PROCEDURE slashed() COMMENT 'a \ it''s' SELECT 'a\b' || '\c';
SET sql_mode = '';
SET collation_connection = utf8mb4_bin;
DELIMITER //
CREATE PROCEDURE several(a varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, OUT b text CHARACTER SET ascii)
BEGIN
    -- a remark; with a semicolon
    DECLARE c varchar(10) DEFAULT ';;';
    IF a = 'x' THEN
        SET b = "y\\";
    END IF; # and another;
END//
CREATE TRIGGER much AFTER INSERT ON z_first FOR EACH ROW BEGIN
    DELETE FROM quick;
    DELETE FROM idle;
END//
DELIMITER ;
CREATE FUNCTION said(a varchar(5)) RETURNS varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NO SQL RETURN a;
SET time_zone = '+02:00';
CREATE EVENT late ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' COMMENT 'a \\ c' DO DELETE FROM quick;
CREATE EVENT elsewhere ON SCHEDULE EVERY 2 WEEK STARTS '2037-01-01 00:00:00' DISABLE ON SLAVE DO DELETE FROM quick;
CREATE VIEW renamed (x, `y z`) AS SELECT id, other FROM z_first;
CREATE VIEW of_renamed AS SELECT x, `y z` FROM renamed;
CREATE TABLE no_bytes (t binary(4) NOT NULL DEFAULT '', u varbinary(4) DEFAULT '');
