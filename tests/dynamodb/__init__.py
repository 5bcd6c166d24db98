"""DynamoDB as far as Parley uses it, in memory, for histories in virtual time."""

from __future__ import annotations

from tests.dynamodb.errors import Unsupported
from tests.dynamodb.fault_model import FaultModel, NoFaults
from tests.dynamodb.store import Store, Written

__all__ = ["FaultModel", "NoFaults", "Store", "Unsupported", "Written"]
