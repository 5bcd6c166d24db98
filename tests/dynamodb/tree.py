"""What DynamoDB's expressions are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A place in an item. Segments that begin with # stand for a name."""

    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    name: str


@dataclass(frozen=True, slots=True)
class Size:
    of: Path | Value


Operand = Path | Value | Size


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In:
    operand: Operand
    among: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Predicate:
    """One of the functions that are true or false."""

    function: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


@dataclass(frozen=True, slots=True)
class Both:
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    left: Node
    right: Node


Node = Comparison | Between | In | Predicate | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Made:
    """if_not_exists or list_append."""

    function: str
    left: Source
    right: Source


@dataclass(frozen=True, slots=True)
class Sum:
    operator: str
    left: Source
    right: Source


Source = Path | Value | Made | Sum


@dataclass(frozen=True, slots=True)
class Action:
    """What an update does at one path. `source` is None for REMOVE, and a Value for ADD and DELETE."""

    verb: str
    path: Path
    source: Source | None


@dataclass(frozen=True, slots=True)
class Used:
    """The placeholders of an expression, and its paths into documents."""

    names: frozenset[str]
    values: frozenset[str]
    documents: tuple[Path, ...]
