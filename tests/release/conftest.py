"""Handlers read their environment when they are imported, so it is there before any test module is."""

from __future__ import annotations

import tests.functions.environment  # noqa: F401
