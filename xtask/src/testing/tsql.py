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
]


def main(paths):
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    files = statements = 0
    faults = [f"the parser takes `{text}`" for text in BROKEN if not any(faults_of(part)[1] for part in without_gaps(text))]
    for path in paths:
        file = pathlib.Path(path)
        files += 1
        for batch in batches(file.read_text(encoding="utf-8")):
            for part in without_gaps(batch.strip()):
                count, found = faults_of(part)
                statements += count
                faults += [f"{file}: {fault}" for fault in found]
    json.dump({"files": files, "statements": statements, "faults": faults}, sys.stdout)


if __name__ == "__main__":
    main([line for line in sys.stdin.read().splitlines() if line])
