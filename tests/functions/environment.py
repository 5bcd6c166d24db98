"""The environment that handlers read when they are imported: every variable of every function, none of them real."""

from __future__ import annotations

import os

os.environ.update(
    {
        "ALLOWED_ORIGINS": "https://app.example.com,http://localhost:*",
        "CONNECTIONS_ENDPOINT": "http://127.0.0.1:9/local",
        "CONNECTION_LIMIT": "3",
        "JWKS_URL": "",
        "JWT_AUDIENCE": "",
        "JWT_ISSUER": "",
        "JWT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:jwt",
        "LOG_LEVEL": "INFO",
        "LOG_TABLE": "log",
        "MEMBERS_TABLE": "members",
        "SESSIONS_TABLE": "sessions",
        "TICKETS_TABLE": "tickets",
    }
)
