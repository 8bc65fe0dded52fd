CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 2 MINVALUE 1 MAXVALUE 100 CACHE 20 CYCLE COMMENT 'numbers';
CREATE SEQUENCE down INCREMENT BY -1 NOCACHE;
CREATE TABLE history (
    id int PRIMARY KEY,
    kept int,
    forgotten int WITHOUT SYSTEM VERSIONING
) WITH SYSTEM VERSIONING;
CREATE TABLE dated (
    id int,
    since timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE,
    until timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE,
    PERIOD FOR SYSTEM_TIME (since, until)
) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION past HISTORY, PARTITION present CURRENT);
CREATE TABLE news (
    id uuid DEFAULT uuid(),
    address inet6,
    counted int DEFAULT (1 + 1) CHECK (counted > 0),
    next_number bigint DEFAULT nextval(numbers),
    label varchar(20) DEFAULT 'NULL',
    KEY unused (counted) IGNORED
);
CREATE ALGORITHM=MERGE VIEW orphan AS SELECT id FROM log;
