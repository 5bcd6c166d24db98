"""Delayed looks at users whose last connection closed: still nobody there, and their watchers are told."""

from __future__ import annotations
