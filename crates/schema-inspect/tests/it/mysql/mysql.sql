CREATE TABLE news (
    id int,
    made varchar(60) DEFAULT (concat('it''s \\ é ', 'q"')),
    label varchar(60),
    checked varchar(60),
    place point NOT NULL SRID 4326,
    CONSTRAINT not_yet CHECK (checked <> 'é 😀 名') NOT ENFORCED,
    KEY by_expression ((upper(label)), (concat(label, 'é')) DESC, id),
    UNIQUE KEY unique_expression ((id + 1)),
    KEY unseen (id) INVISIBLE
);
CREATE VIEW orphan AS SELECT id FROM log;
