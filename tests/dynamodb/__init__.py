"""DynamoDB as far as Parley uses it, in memory, for histories in virtual time."""

from __future__ import annotations

from tests.dynamodb.errors import Unsupported
from tests.dynamodb.store import Store, Written
from tests.dynamodb.weather import Calm, Weather

__all__ = ["Calm", "Store", "Unsupported", "Weather", "Written"]
