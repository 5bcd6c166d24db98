"""The budgets are counted on the real adapters, over moto's server."""

from __future__ import annotations

from tests.moto_tables import environment, moto_url, tables

__all__ = ["environment", "moto_url", "tables"]
