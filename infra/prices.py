"""List prices of us-east-1, on demand, without free tiers, in dollars: docs/costs.md and the dashboard use them.

Other regions cost up to twice as much, and prices change: https://aws.amazon.com/pricing/ has those of today.
"""

from __future__ import annotations

from typing import Final

MILLION: Final = 1_000_000
GIGABYTE: Final = 10**9

WEBSOCKET_MESSAGE: Final = 1.00 / MILLION
"""Of up to 32 KB, in or out."""
CONNECTION_MINUTE: Final = 0.25 / MILLION
HTTP_REQUEST: Final = 1.00 / MILLION
INVOCATION: Final = 0.20 / MILLION
GB_SECOND: Final = 0.0000133334
"""Of Lambda on arm64."""
WRITE_UNIT: Final = 0.625 / MILLION
READ_UNIT: Final = 0.125 / MILLION
"""A strong read of 4 KB; an eventual one is half of it."""
SQS_REQUEST: Final = 0.40 / MILLION
S3_PUT: Final = 5.00 / MILLION
S3_GET: Final = 0.40 / MILLION
S3_GB_MONTH: Final = 0.023
EVENT: Final = 1.00 / MILLION
"""Of EventBridge: S3's are opt-in events."""
SCHEDULE: Final = 1.00 / MILLION
LOGS_GB: Final = 0.50
SECRET_MONTH: Final = 0.40
SECRET_CALL: Final = 0.05 / 10_000
ALARM_MONTH: Final = 0.10
METRIC_MONTH: Final = 0.30
"""Of a custom metric, for the hours in which it is counted."""
DASHBOARD_MONTH: Final = 3.00
MAIL: Final = 0.10 / 1_000
"""Of SES to one address, without a pricing plan; an account that is new to SES has a plan by which it is 0.16."""
TRACE: Final = 5.00 / MILLION
"""Of one that X-Ray keeps."""
