SET restrict_fk_on_non_standard_key = 0;
CREATE TABLE many (a int, KEY (a));
CREATE TABLE many_more (a int, CONSTRAINT to_any FOREIGN KEY (a) REFERENCES many (a));
CREATE TABLE computed (
    a int DEFAULT (5),
    b text DEFAULT (5),
    c int DEFAULT (-5),
    d json DEFAULT (json_object()),
    e datetime DEFAULT (CURRENT_TIMESTAMP),
    f vector(3),
    g varchar(5) DEFAULT ('a' 'b'),
    h date DEFAULT (curdate()),
    i int GENERATED ALWAYS AS (a + 1) VIRTUAL NOT NULL INVISIBLE COMMENT 'i',
    j bit(3) DEFAULT b'1',
    KEY many_values ((CAST(d->'$.x' AS unsigned ARRAY)))
) COMPRESSION='zlib';
