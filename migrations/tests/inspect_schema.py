"""Prints a database's schema as JSON, as SQLAlchemy's inspector sees it, in words that mean the same on every engine.

Reads {"url": {...}, "ca": path or null} from standard input. Names of columns, keys and indexes, nullability, type
families, lengths of texts, primary keys, unique constraints, foreign keys and indexes.
"""

import json
import sys

from sqlalchemy import create_engine, inspect, types
from sqlalchemy.engine import URL

# What one engine's type may stand for. SQLite has no types for instants, dates, decimals and documents and keeps them
# as text; PostgreSQL alone has a type for UUIDs, which are sixteen bytes elsewhere.
ONLY_ON_SQLITE = ["instant", "date", "decimal", "document"]


def families(kind, dialect):
    if isinstance(kind, types.Boolean):
        return ["boolean"]
    if isinstance(kind, types.Integer):
        # MySQL's BOOLEAN is a TINYINT, and SQLite has INTEGER alone.
        return ["integer", "boolean"] if dialect in ("sqlite", "mysql") else ["integer"]
    if isinstance(kind, (types.Uuid, types._Binary)):
        return ["bytes"]
    if isinstance(kind, types.DateTime):
        return ["instant"]
    if isinstance(kind, types.Date):
        return ["date"]
    if isinstance(kind, types.JSON):
        return ["document"]
    if isinstance(kind, types.Float):
        return ["float"]
    if isinstance(kind, types.Numeric):
        return ["decimal"]
    if isinstance(kind, types.String):
        return ["text"] + (ONLY_ON_SQLITE if dialect == "sqlite" else [])
    raise SystemExit(f"no family for the type {kind!r}")


def column(description, dialect):
    kind = description["type"]
    length = getattr(kind, "length", None) if isinstance(kind, types.String) else None
    return {
        "nullable": description["nullable"],
        "type": ["family:" + family for family in families(kind, dialect)],
        "length": length or "any length",
    }


def table(inspector, name, dialect):
    unique = {constraint["name"]: constraint["column_names"] for constraint in inspector.get_unique_constraints(name)}
    indexes = {
        index["name"]: [("unique " if index["unique"] else "") + str(part) for part in index["column_names"]]
        for index in inspector.get_indexes(name)
        # Engines keep a unique constraint as an index, and some tell of both.
        if index["name"] not in unique and not index.get("duplicates_constraint")
    }
    foreign = {
        key["name"]: {
            "columns": key["constrained_columns"],
            "table": key["referred_table"],
            "refers": key["referred_columns"],
            # MySQL and PostgreSQL leave the standard's default unsaid; RESTRICT is the same where nothing is deferred.
            "on_delete": (key.get("options") or {}).get("ondelete", "NO ACTION").replace("RESTRICT", "NO ACTION"),
        }
        for key in inspector.get_foreign_keys(name)
    }
    return {
        "columns": {entry["name"]: column(entry, dialect) for entry in inspector.get_columns(name)},
        "primary_key": inspector.get_pk_constraint(name)["constrained_columns"],
        "unique": unique,
        "indexes": indexes,
        "foreign_keys": foreign,
    }


def main():
    request = json.load(sys.stdin)
    arguments = {"ssl": {"ca": request["ca"]}} if request["ca"] else {}
    engine = create_engine(URL.create(**request["url"]), connect_args=arguments)
    dialect = engine.dialect.name
    dialect = "mysql" if dialect == "mariadb" else dialect
    inspector = inspect(engine)
    schema = {name: table(inspector, name, dialect) for name in inspector.get_table_names()}
    json.dump(schema, sys.stdout, indent=1, sort_keys=True)


main()
