"""Prints what SQLAlchemy sees of the tables of one MySQL or MariaDB database, as JSON. Reads {"url": {...}, "schema": ...}."""

import json
import sys
import warnings

from sqlalchemy import URL, create_engine, inspect
from sqlalchemy.engine.reflection import ObjectKind

request = json.load(sys.stdin)
# It says so of what it does not know, such as the words for partitions.
warnings.simplefilter("ignore")
inspector = inspect(create_engine(URL.create(**request["url"])))
asked = {"schema": request["schema"], "kind": ObjectKind.TABLE}
columns = inspector.get_multi_columns(**asked)
keys = inspector.get_multi_pk_constraint(**asked)
foreign = inspector.get_multi_foreign_keys(**asked)
unique = inspector.get_multi_unique_constraints(**asked)
indexes = inspector.get_multi_indexes(**asked)
checks = inspector.get_multi_check_constraints(**asked)
comments = inspector.get_multi_table_comment(**asked)
options = inspector.get_multi_table_options(**asked)


def by_name(items):
    return sorted(items, key=lambda item: item["name"])


def option(index, name):
    return next((value for key, value in index.get("dialect_options", {}).items() if key.endswith(name)), None)


tables = {}
for name, of_table in columns.items():
    tables[name[1]] = {
        "comment": comments[name]["text"],
        "engine": next((value for key, value in options[name].items() if key.endswith("_engine")), None),
        "columns": [
            {
                "name": column["name"],
                "type": column["type"].__visit_name__.lower().replace("integer", "int"),
                "nullable": column["nullable"],
                "default": column["default"],
                "computed": column.get("computed", {}).get("sqltext"),
                "stored": column.get("computed", {}).get("persisted"),
                "autoincrement": column.get("autoincrement") is True,
                "comment": column["comment"],
            }
            for column in of_table
        ],
        "primary_key": keys[name]["constrained_columns"],
        "foreign_keys": by_name(
            {
                "name": key["name"],
                "columns": key["constrained_columns"],
                "schema": key["referred_schema"],
                "table": key["referred_table"],
                "referred": key["referred_columns"],
                "on_update": key["options"].get("onupdate"),
                "on_delete": key["options"].get("ondelete"),
            }
            for key in foreign[name]
        ),
        "unique": by_name({"name": key["name"], "columns": key["column_names"]} for key in unique[name]),
        "indexes": by_name(
            {
                "name": index["name"],
                "unique": index["unique"],
                "columns": index["column_names"],
                "lengths": option(index, "_length") or {},
                "prefix": option(index, "_prefix"),
            }
            for index in indexes[name]
        ),
        "checks": by_name({"name": check["name"], "text": check["sqltext"]} for check in checks[name]),
    }
json.dump(tables, sys.stdout)
