"""What each function does with the tables and the bucket: held to the calls its adapters make, and to its role."""

from __future__ import annotations

_TABLES_OF: dict[str, dict[str, list[str]]] = {
    "Authorizer": {"Tickets": ["DeleteItem"]},
    "Connect": {
        "Log": ["Query"],
        "Members": ["BatchGetItem", "BatchWriteItem", "DeleteItem", "Query"],
        "Sessions": ["UpdateItem"],
    },
    "Disconnect": {"Sessions": ["UpdateItem"]},
    "Presence": {
        "Log": ["Query"],
        "Members": ["BatchGetItem", "DeleteItem", "Query"],
        "Sessions": ["BatchGetItem", "UpdateItem"],
    },
    "Message": {
        "Log": ["BatchGetItem", "PutItem", "Query", "UpdateItem"],
        "Members": ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
        "Sessions": ["BatchGetItem", "UpdateItem"],
    },
    "Rest": {
        "Log": ["BatchGetItem", "PutItem", "Query", "UpdateItem"],
        "Members": ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
        "Sessions": ["BatchGetItem", "UpdateItem"],
        "Tickets": ["PutItem"],
    },
    "OfflinePush": {
        "Log": ["BatchGetItem", "DeleteItem", "PutItem", "Query", "Scan", "UpdateItem"],
        "Members": [
            *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"),
        ],
        "Sessions": ["BatchGetItem", "Scan", "UpdateItem"],
    },
    "Events": {
        "Log": ["BatchGetItem", "Query"],
        "Members": ["BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
    },
    "Files": {"Members": ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]},
}
DYNAMODB: dict[str, set[tuple[str, str]]] = {
    function: {(operation, table) for table, operations in tables.items() for operation in operations}
    for function, tables in _TABLES_OF.items()
}
# A user of a form or a link acts with the rights of the function that signed it.
OBJECTS: dict[str, set[tuple[str, str]]] = {
    "Rest": {
        ("s3:PutObject", "uploads/*"),
        *(("s3:GetObject", prefix) for prefix in ("files/*", "thumbnails/*", "exports/*")),
        ("s3:ListBucket", "Bucket"),
    },
    "OfflinePush": {
        ("s3:PutObject", "exports/*"),
        ("s3:GetObject", "files/*"),
        *(("s3:DeleteObject", prefix) for prefix in ("uploads/*", "files/*", "thumbnails/*")),
        ("s3:ListBucket", "Bucket"),
    },
    "Files": {
        ("s3:GetObject", "uploads/*"),
        ("s3:DeleteObject", "uploads/*"),
        *(
            (f"s3:{action}", prefix)
            for action in ("PutObject", "DeleteObject")
            for prefix in ("files/*", "thumbnails/*")
        ),
    },
}
