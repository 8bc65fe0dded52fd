"""Reads every T-SQL text below the given folders with a T-SQL parser and reports what it does not understand."""

import json
import logging
import pathlib
import re
import sys

import sqlglot
from sqlglot import exp

# The parser takes what it does not know for an opaque command and only logs that; here it is a fault.
OPAQUE_BUT_KNOWN = re.compile(r"^\s*(EXEC(UTE)?|SET|DECLARE|PRINT|THROW|WAITFOR)\b", re.IGNORECASE)


# What a text may consist of; the parser takes a lone expression as well.
STATEMENTS = (exp.Query, exp.DML, exp.DDL, exp.Drop, exp.Alter, exp.Command, exp.Set, exp.Declare, exp.Execute, exp.IfBlock)

# Two forms that T-SQL has and the parser lacks: OUTPUT in a DELETE, and OUTPUT before DEFAULT VALUES. The clause is cut out
# and read as what it is, a list of expressions; the statement is read without it.
OUTPUT = re.compile(
    r"^(?P<head>DELETE FROM \S+|INSERT INTO \S+) OUTPUT (?P<list>.+?)(?P<tail> WHERE .*| DEFAULT VALUES)?;?\s*$",
    re.IGNORECASE | re.DOTALL,
)


def without_gaps(text):
    """The texts to read in place of this one."""
    found = OUTPUT.match(text)
    if found and (found["head"].upper().startswith("DELETE") or (found["tail"] or "").upper() == " DEFAULT VALUES"):
        return [found["head"] + (found["tail"] or ""), "SELECT " + found["list"]]
    return [text]


NAME = r"\[(?:[^\]]|\]\])+\]"
OBJECT = rf"{NAME}(?:\.{NAME})*"

# What defines things in T-SQL and the parser lacks, by a pattern for the whole batch, and what of it is read in its place. Names are
# in brackets in what is exported; expressions, types, columns and bodies in such a batch are read by the parser.
FORMS = [
    (rf"(CREATE SCHEMA {NAME}) AUTHORIZATION {NAME}", [r"\1"]),
    (rf"CREATE TYPE ({OBJECT}) FROM (.+?) ((?:NOT )?NULL)", [r"CREATE TABLE \1 (a \2 \3)"]),
    (rf"CREATE TYPE ({OBJECT}) AS TABLE (\(.+\))", [r"CREATE TABLE \1 \2"]),
    (rf"CREATE SYNONYM ({OBJECT}) FOR ({OBJECT})", [r"SELECT 1 FROM \1, \2"]),
    (rf"(ALTER TABLE {OBJECT}) (?:WITH NOCHECK CHECK|NOCHECK) (CONSTRAINT {NAME})", [r"\1 DROP \2"]),
    (rf"(ALTER TABLE {OBJECT}) WITH NOCHECK (ADD .+)", [r"\1 WITH CHECK \2"]),
    (rf"ALTER TABLE {OBJECT} ADD (?:CONSTRAINT {NAME} )?DEFAULT (\(.+\)) FOR {NAME}", [r"SELECT \1"]),
    (rf"(CREATE (?:UNIQUE )?NONCLUSTERED INDEX .+ WHERE \(.+\)) WITH (\([A-Z_]+ = \w+(?:, [A-Z_]+ = \w+)*\))", [r"\1"]),
    (rf"ALTER INDEX {NAME} ON ({OBJECT}) DISABLE", [r"SELECT 1 FROM \1"]),
    (rf"(CREATE VIEW .+) WITH CHECK OPTION", [r"\1"]),
    (rf"CREATE TRIGGER \S+ ON \S+ (?:AFTER|INSTEAD OF) (?:INSERT|UPDATE|DELETE)(?:, (?:INSERT|UPDATE|DELETE))* AS (.+)", [r"\1"]),
    (rf"DISABLE TRIGGER ({OBJECT}) ON ({OBJECT})", [r"SELECT 1 FROM \1, \2"]),
    (
        rf"(?:GRANT|DENY) [A-Z ]+(?: \({NAME}\))?(?:, [A-Z ]+(?: \({NAME}\))?)* ON (?:OBJECT|SCHEMA|TYPE)::({OBJECT})"
        rf" TO ({NAME})(?: WITH GRANT OPTION)?",
        [r"SELECT 1 FROM \1, \2"],
    ),
    (rf"ALTER AUTHORIZATION ON (?:OBJECT|TYPE)::({OBJECT}) TO ({NAME})", [r"SELECT 1 FROM \1, \2"]),
]
FORMS = [(re.compile(pattern, re.DOTALL), read) for pattern, read in FORMS]

# Traits of columns that the parser lacks, at the places where a column has them.
TRAITS = re.compile(r"(?<=NULL) ROWGUIDCOL(?=,?\n)| SPARSE(?= NULL,?\n)| COLUMN_SET FOR ALL_SPARSE_COLUMNS(?=,?\n)")


def without_forms(text):
    """The texts to read in place of this one, where it has one of the forms that the parser lacks."""
    for pattern, read in FORMS:
        found = pattern.fullmatch(text)
        if found:
            return [found.expand(part) for part in read]
    return [TRAITS.sub("", text)] if text.startswith("CREATE TABLE ") else [text]


def batches(text):
    """SQL Server's clients cut a script at lines that hold nothing but GO."""
    return [part for part in re.split(r"(?im)^\s*GO\s*;?\s*$", text) if part.strip()]


def faults_of(text):
    try:
        statements = sqlglot.parse(text, read="tsql", error_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.errors.SqlglotError as error:
        return 0, [str(error).replace("\x1b[4m", "»").replace("\x1b[0m", "«")]
    statements = [statement for statement in statements if statement is not None]
    found = []
    for statement in statements:
        if not isinstance(statement, STATEMENTS):
            found.append(f"no statement: {statement.sql(dialect='tsql')[:200]}")
        opaque = [statement] if isinstance(statement, exp.Command) else list(statement.find_all(exp.Command))
        for node in opaque:
            said = node.sql(dialect="tsql")
            if not OPAQUE_BUT_KNOWN.match(said):
                found.append(f"not understood: {said[:200]}")
    if not statements:
        found.append("no statement in it")
    return len(statements), found


# A parser that takes these takes anything, and finding nothing would mean nothing.
BROKEN = [
    "SELECT [id] FROM WHERE [id] = @P1",
    "INSERT INTO [people] ([id]) VALUES (",
    "DELETE FROM [people] OUTPUT DELETED.( WHERE [id] = @P1",
    "FROBNICATE [people]",
    "-- nothing at all",
    "CREATE TYPE [a] FROM nvarchar( NULL",
    "ALTER TABLE [a] NOCHECK CONSTRAINT",
    "ALTER TABLE [a] WITH NOCHECK ADD CONSTRAINT [b] CHECK ([c]>",
    "ALTER TABLE [a] ADD CONSTRAINT [b] DEFAULT ((1) FOR [c]",
    "GRANT SELECT ON OBJECT::a TO [b]",
    "DISABLE TRIGGER [a] ON [b",
    "CREATE SYNONYM [a] FOR [b] [c]",
    "CREATE TRIGGER [a] ON [b] AFTER INSERT AS SELECT FROM",
    "CREATE TABLE [a] (\n  [b] int NOT NULL ROWGUIDCOL ROWGUIDCOL\n)",
]


def parts(batch):
    return [part for text in without_forms(batch) for part in without_gaps(text)]


def main(paths):
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    files = statements = 0
    faults = [f"the parser takes `{text}`" for text in BROKEN if not any(faults_of(part)[1] for part in parts(text))]
    for path in paths:
        file = pathlib.Path(path)
        files += 1
        for batch in batches(file.read_text(encoding="utf-8")):
            for part in parts(batch.strip()):
                count, found = faults_of(part)
                statements += count
                faults += [f"{file}: {fault}" for fault in found]
    json.dump({"files": files, "statements": statements, "faults": faults}, sys.stdout)


if __name__ == "__main__":
    main([line for line in sys.stdin.read().splitlines() if line])
