"""Prints what boto3 is told of one table, and how often each attribute of its items has which type, as JSON.

Reads {"endpoint": ..., "region": ..., "username": ..., "password": ..., "table": ...} from its input."""

import json
import sys

import boto3

request = json.load(sys.stdin)
client = boto3.client(
    "dynamodb",
    endpoint_url=request["endpoint"],
    region_name=request["region"],
    aws_access_key_id=request["username"],
    aws_secret_access_key=request["password"],
)
name = request["table"]
table = client.describe_table(TableName=name)["Table"]
expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]


def key(schema):
    return [part["AttributeName"] for kind in ("HASH", "RANGE") for part in schema if part["KeyType"] == kind]


def bought(of):
    throughput = of.get("ProvisionedThroughput", {})
    return [throughput.get("ReadCapacityUnits") or None, throughput.get("WriteCapacityUnits") or None]


indexes = {}
for method, part in (("local", "LocalSecondaryIndexes"), ("global", "GlobalSecondaryIndexes")):
    for index in table.get(part, []):
        projection = index["Projection"]
        indexes[index["IndexName"]] = {
            "method": method,
            "key": key(index["KeySchema"]),
            "projection": projection["ProjectionType"],
            "include": sorted(projection.get("NonKeyAttributes", [])),
            "bought": bought(index),
        }

types = {}
for page in client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
    for item in page["Items"]:
        for attribute, value in item.items():
            (kind,) = value
            counts = types.setdefault(attribute, {})
            counts[kind] = counts.get(kind, 0) + 1

stream = table.get("StreamSpecification", {})
print(
    json.dumps(
        {
            "key": key(table["KeySchema"]),
            "attributes": {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]},
            "indexes": indexes,
            "bought": bought(table),
            "billing": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "class": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
            "stream": stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
            "protected": table.get("DeletionProtectionEnabled", False),
            "until": expiry.get("AttributeName") if expiry["TimeToLiveStatus"] == "ENABLED" else None,
            "items": table["ItemCount"],
            "bytes": table["TableSizeBytes"],
            "types": types,
        }
    )
)
