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
        opaque = [statement] if isinstance(statement, exp.Command) else list(statement.find_all(exp.Command))
        for node in opaque:
            said = node.sql(dialect="tsql")
            if not OPAQUE_BUT_KNOWN.match(said):
                found.append(f"not understood: {said[:200]}")
    if not statements:
        found.append("no statement in it")
    return len(statements), found


def main(paths):
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    files = statements = 0
    faults = []
    for path in paths:
        file = pathlib.Path(path)
        files += 1
        for batch in batches(file.read_text(encoding="utf-8")):
            count, found = faults_of(batch)
            statements += count
            faults += [f"{file}: {fault}" for fault in found]
    json.dump({"files": files, "statements": statements, "faults": faults}, sys.stdout)


if __name__ == "__main__":
    main([line for line in sys.stdin.read().splitlines() if line])
