"""The environment that handlers read when they are imported: every variable of every function, none of them real."""

from __future__ import annotations

import os

VARIABLES = {
    "ABUSE_LIMIT": "100",
    "ALLOWED_ORIGINS": "https://app.example.com,http://localhost:*",
    "CONNECTIONS_ENDPOINT": "http://127.0.0.1:9/local",
    "CONNECTION_LIMIT": "3",
    "EDIT_WINDOW_S": "86400",
    "FAN_OUT_QUEUE_URL": "http://127.0.0.1:9/000000000000/fan-out",
    "FAN_OUT_RATE": "500",
    "FRAME_BURST": "500",
    "FRAME_LIMIT": "32768",
    "FRAME_RATE": "50",
    "GROUP_LIMIT": "1000",
    "INLINE_LIMIT": "200",
    "JWKS_URL": "",
    "JWT_AUDIENCE": "",
    "JWT_ISSUER": "",
    "JWT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:jwt",
    "LOG_LEVEL": "INFO",
    "LOG_TABLE": "log",
    "MEMBERS_TABLE": "members",
    "MENTION_LIMIT": "50",
    "MESSAGE_BURST": "200",
    "MESSAGE_RATE": "20",
    "PAGE_LIMIT": "100",
    "PRESENCE_GRACE_S": "10",
    "PRESENCE_QUEUE_URL": "http://127.0.0.1:9/000000000000/presence",
    "RECEIPTS_LIMIT": "100",
    "SESSIONS_TABLE": "sessions",
    "TEXT_LIMIT": "5000",
    "TICKETS_TABLE": "tickets",
}
os.environ.update(VARIABLES)
