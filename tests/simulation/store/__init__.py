"""DynamoDB as far as Parley uses it, in memory, for histories in virtual time."""

from __future__ import annotations

from tests.simulation.store.errors import Unsupported
from tests.simulation.store.store import Store, Written
from tests.simulation.store.weather import Calm, Weather

__all__ = ["Calm", "Store", "Unsupported", "Weather", "Written"]
