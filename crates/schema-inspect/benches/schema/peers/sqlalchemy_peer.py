"""Reads a schema with SQLAlchemy and prints what that cost and how much was found. Reads {"url": {...}, "way": ...}."""

import json
import sys
import time
import warnings

from sqlalchemy import URL, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine.reflection import ObjectKind

NEEDED = {"id", "code", "name", "amount", "made", "flag"}
OPTIONAL = {"parent", "note", "body", "position"}

THREAD = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT TID FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()",
}


def computed(thread):
    try:
        with open(f"/proc/{thread}/schedstat") as line:
            return int(line.read().split()[0]) / 1e9
    except OSError:
        return None


def option(index, name):
    return next((value for key, value in index.get("dialect_options", {}).items() if key.endswith(name)), None)


def right(name, nullable):
    return (name in NEEDED and not nullable) or (name in OPTIONAL and nullable)


def get_multi(connection):
    inspector = inspect(connection)
    asked = {"kind": ObjectKind.TABLE}
    columns = inspector.get_multi_columns(**asked)
    keys = inspector.get_multi_pk_constraint(**asked)
    foreign = inspector.get_multi_foreign_keys(**asked)
    unique = inspector.get_multi_unique_constraints(**asked)
    indexes = inspector.get_multi_indexes(**asked)
    checks = inspector.get_multi_check_constraints(**asked)
    comments = {}
    if connection.dialect.supports_comments:
        comments = inspector.get_multi_table_comment(**asked)
    return lambda: facts_of_multi(columns, keys, foreign, unique, indexes, checks, comments)


def facts_of_multi(columns, keys, foreign, unique, indexes, checks, comments):
    each = [index for of_table in indexes.values() for index in of_table]
    return {
        "columns": sum(right(column["name"], column["nullable"]) for table in columns.values() for column in table),
        "primary_keys": sum(key["constrained_columns"] == ["id"] for key in keys.values()),
        "foreign_keys": sum(
            key["options"].get("ondelete") == "CASCADE" for of_table in foreign.values() for key in of_table
        ),
        "unique": sum(key["column_names"] == ["code"] for of_table in unique.values() for key in of_table),
        "checks": sum("amount" in check["sqltext"] for of_table in checks.values() for check in of_table),
        "descending": sum("desc" in order for index in each for order in index.get("column_sorting", {}).values()),
        "partial_values": sum(
            len(option(index, "_length") or {}) + len([name for name in index["column_names"] if name is None])
            for index in each
        ),
        "conditions": sum(option(index, "_where") is not None for index in each),
        "comments": sum(bool(comment["text"]) for comment in comments.values()),
    }


def reflect(connection):
    metadata = MetaData()
    metadata.reflect(connection)
    return lambda: facts_of_tables(metadata.tables.values())


def facts_of_tables(tables):
    each = [index for table in tables for index in table.indexes]
    parts = [part for index in each for part in index.expressions]
    constraints = [constraint for table in tables for constraint in table.constraints]
    kinds = [type(constraint).__name__ for constraint in constraints]
    lengths = [index.dialect_options[name].get("length") for index in each for name in ("mysql", "mariadb")]
    return {
        "columns": sum(right(column.name, column.nullable) for table in tables for column in table.columns),
        "primary_keys": sum([column.name for column in table.primary_key] == ["id"] for table in tables),
        "foreign_keys": sum(
            getattr(constraint, "ondelete", None) == "CASCADE"
            for constraint, kind in zip(constraints, kinds)
            if kind == "ForeignKeyConstraint"
        ),
        "unique": sum(kind == "UniqueConstraint" for kind in kinds),
        "checks": sum(kind == "CheckConstraint" for kind in kinds),
        "descending": sum("DESC" in str(part) for part in parts),
        "partial_values": sum("(" in str(part) for part in parts) + sum(len(length or {}) for length in lengths),
        "conditions": sum(
            index.dialect_options[name].get("where") is not None for index in each for name in ("postgresql", "sqlite")
        ),
        "comments": sum(bool(table.comment) for table in tables),
    }


request = json.load(sys.stdin)
# It says so of what it does not know.
warnings.simplefilter("ignore")
engine = create_engine(URL.create(**request["url"]))
statements = 0


@event.listens_for(engine, "before_cursor_execute")
def count(*_):
    global statements
    statements += 1


with engine.connect() as connection:
    asked = THREAD.get(engine.dialect.name)
    thread = connection.execute(text(asked)).scalar() if asked else None
    statements = 0
    before, began = computed(thread), time.perf_counter()
    found = {"get_multi": get_multi, "reflect": reflect}[request["way"]](connection)
    seconds, after = time.perf_counter() - began, computed(thread)
    cost = after - before if before is not None and after is not None else None
    json.dump({"statements": statements, "seconds": seconds, "processor": cost, "facts": found()}, sys.stdout)
