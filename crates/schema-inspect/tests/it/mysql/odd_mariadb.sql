CREATE SEQUENCE quick_numbers START WITH -5 MINVALUE -10 NOCACHE;
CREATE TABLE rest (a varchar(5)) PARTITION BY LIST COLUMNS (a) (PARTITION p VALUES IN ('a'), PARTITION q DEFAULT);
CREATE TABLE long_keys (a text, UNIQUE KEY whole (a));
CREATE TABLE details (a json, b longtext CHECK (a <> ''), CONSTRAINT both_of CHECK (a <> b), c int AS (1 + 1) PERSISTENT COMMENT 'c');
CREATE TABLE squeezed (a int) PAGE_COMPRESSED=1;
DELIMITER //
CREATE AGGREGATE FUNCTION added(n int) RETURNS int
BEGIN
    DECLARE total int DEFAULT 0;
    DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN total;
    LOOP
        FETCH GROUP NEXT ROW;
        SET total = total + n;
    END LOOP;
END//
DELIMITER ;

-- MariaDB checks a view by the mode of whoever opens it, and the one of our sessions is stricter than its own.
SET @mode = @@SESSION.sql_mode;
SET SESSION sql_mode = 'STRICT_TRANS_TABLES';
CREATE TABLE sale (shop int, day int, amount int);
CREATE VIEW loosely_grouped AS SELECT shop, sum(amount) AS amount FROM sale GROUP BY day;
SET SESSION sql_mode = @mode;
