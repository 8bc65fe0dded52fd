"""Prints what SQLAlchemy sees of the tables of one schema, as JSON. Reads {"url": {...}, "schema": ...} from its input."""

import json
import sys

import sqlalchemy
from sqlalchemy import URL, create_engine, inspect
from sqlalchemy.engine.reflection import ObjectKind

request = json.load(sys.stdin)
engine = create_engine(URL.create(**request["url"]))
inspector = inspect(engine)
asked = {"schema": request["schema"], "kind": ObjectKind.TABLE}
columns = inspector.get_multi_columns(**asked)
keys = inspector.get_multi_pk_constraint(**asked)
foreign = inspector.get_multi_foreign_keys(**asked)
unique = inspector.get_multi_unique_constraints(**asked)
indexes = inspector.get_multi_indexes(**asked)
checks = inspector.get_multi_check_constraints(**asked)
comments = inspector.get_multi_table_comment(**asked)


def by_name(items):
    return sorted(items, key=lambda item: item["name"])


tables = {}
for name, of_table in columns.items():
    tables[name[1]] = {
        "comment": comments[name]["text"],
        "columns": [
            {
                "name": column["name"],
                "nullable": column["nullable"],
                "default": column["default"] if "computed" not in column else None,
                "computed": column.get("computed", {}).get("sqltext"),
                "identity_start": str(column["identity"]["start"]) if "identity" in column else None,
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
                "comment": key["comment"],
            }
            for key in foreign[name]
        ),
        "unique": by_name({"name": key["name"], "columns": key["column_names"]} for key in unique[name]),
        "indexes": by_name(
            {
                "name": index["name"],
                "unique": index["unique"],
                "columns": index["column_names"],
                "include": index["dialect_options"].get("postgresql_include", []),
                "is_partial": "postgresql_where" in index["dialect_options"],
                "method": index["dialect_options"].get("postgresql_using", "btree"),
            }
            for index in indexes[name]
        ),
        "checks": by_name({"name": check["name"]} for check in checks[name]),
    }
json.dump(tables, sys.stdout)
