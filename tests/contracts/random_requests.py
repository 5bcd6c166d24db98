"""Random requests to DynamoDB's API about a few items of the log table: most of them valid, some not."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from shared.adapters.dynamodb.client import to_attribute

_ATTRIBUTES: Final = ("n1", "n2", "word", "members", "m1", "l1")
_FIELDS: Final = ("x1", "x2", "x3")
_COMPARATORS: Final = ("=", "<>", "<", "<=", ">", ">=")


class Requests:
    """An endless supply, the same for the same `random`."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def one(self) -> tuple[str, dict[str, Any]]:
        """An operation and its request."""
        kind = self._random.random()
        if kind < 0.7:
            name, request = self._write()
            return f"{name}Item", request
        if kind < 0.85:
            parts = [self._write(in_transaction=True) for _ in range(self._random.randint(1, 3))]
            return "TransactWriteItems", {"TransactItems": [{name: request} for name, request in parts]}
        return "Query", self._query()

    def _key(self) -> dict[str, Any]:
        seq = self._random.choice([1, 2, 9, 10, -1])
        return {"conversation_id": {"S": self._random.choice("cd")}, "seq": {"N": str(seq)}}

    def _write(self, *, in_transaction: bool = False) -> tuple[str, dict[str, Any]]:
        random, writer = self._random, _Writer(self._random)
        kind = random.choice(["Put", "Update", "Update", "Update", "Delete", *["ConditionCheck"] * in_transaction])
        request: dict[str, Any] = {"TableName": "log"}
        if kind == "Put":
            chosen = random.sample(_ATTRIBUTES, random.randint(0, 5))
            request["Item"] = {**{name: writer.value() for name in chosen}, **self._key()}
        else:
            request["Key"] = self._key()
        if kind == "Update":
            request["UpdateExpression"] = writer.update()
        if kind == "ConditionCheck" or random.random() < 0.4:
            request["ConditionExpression"] = writer.condition()
        if random.random() < 0.5:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if not in_transaction and random.random() < 0.6:
            request["ReturnValues"] = random.choice(["ALL_OLD", "NONE", *["ALL_NEW"] * (kind == "Update")])
        return kind, {**request, **writer.placeholders()}

    def _query(self) -> dict[str, Any]:
        random, writer = self._random, _Writer(self._random)
        condition = f"conversation_id = {writer.placed(to_attribute(random.choice('cd')))}"
        low, high = (writer.number(-2, 5), writer.number(3, 11)) if random.random() < 0.3 else (None, None)
        if low is not None:
            condition += f" AND seq BETWEEN {low} AND {high}"
        elif random.random() < 0.5:
            condition += f" AND seq {random.choice(('=', '<', '<=', '>', '>='))} {writer.number(-2, 11)}"
        request = {"TableName": "log", "ConsistentRead": True, "KeyConditionExpression": condition}
        if random.random() < 0.5:
            request["Limit"] = random.randint(1, 5)
        if random.random() < 0.5:
            request["ScanIndexForward"] = random.random() < 0.5
        if random.random() < 0.3:
            request["ExclusiveStartKey"] = self._key()
        return {**request, **writer.placeholders()}


@dataclass
class _Writer:
    """The expressions of one request, and what their placeholders stand for."""

    random: Random
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def placeholders(self) -> dict[str, Any]:
        return {
            **({"ExpressionAttributeNames": self.names} if self.names else {}),
            **({"ExpressionAttributeValues": self.values} if self.values else {}),
        }

    def value(self, depth: int = 0) -> Any:
        kind = self.random.choice("NNSSBMLE" if depth < 2 else "NSB")
        match kind:
            case "N":
                return to_attribute(self.random.randint(-3, 12))
            case "S":
                return to_attribute(self.random.choice(["", "a", "ab", "b", "\u00e9"]))
            case "B":
                return to_attribute(self.random.random() < 0.5)
            case "M":
                chosen = self.random.sample(_FIELDS, self.random.randint(0, 3))
                return {"M": {name: self.value(depth + 1) for name in chosen}}
            case "L":
                return {"L": [self.value(depth + 1) for _ in range(self.random.randint(0, 2))]}
        return {"SS": sorted(self.random.sample(["a", "b", "c"], self.random.randint(1, 3)))}

    def placed(self, value: Any) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def number(self, low: int, high: int) -> str:
        return self.placed(to_attribute(self.random.randint(low, high)))

    def path(self) -> str:
        name = self.random.choice(_ATTRIBUTES)
        if self.random.random() < 0.3:
            self.names[f"#{name}"] = name
            name = f"#{name}"
        return f"{name}.{self.random.choice(_FIELDS)}" if self.random.random() < 0.3 else name

    def operand(self) -> str:
        kind = self.random.random()
        if kind < 0.5:
            return self.path()
        return self.placed(self.value()) if kind < 0.85 else f"size({self.path()})"

    def condition(self, depth: int = 0) -> str:
        kind = self.random.random()
        if depth < 2 and kind < 0.25:
            both = f" {self.random.choice(('AND', 'OR'))} ".join(self.condition(depth + 1) for _ in range(2))
            return f"({both})" if depth else both
        if depth < 2 and kind < 0.32:
            return f"NOT {self.condition(depth + 1)}"
        return self.random.choice(
            [self._test, self._test, self._test, self._range, self._comparison, self._comparison]
        )()

    def _comparison(self) -> str:
        return f"{self.operand()} {self.random.choice(_COMPARATORS)} {self.operand()}"

    def _range(self) -> str:
        if self.random.random() < 0.5:
            return f"{self.operand()} BETWEEN {self.number(0, 3)} AND {self.number(3, 8)}"
        return f"{self.operand()} IN ({self.placed(self.value())}, {self.operand()})"

    def _test(self) -> str:
        match self.random.randint(0, 4):
            case 0:
                return f"attribute_exists({self.path()})"
            case 1:
                return f"attribute_not_exists({self.path()})"
            case 2:
                return f"begins_with({self.path()}, {self.placed(to_attribute(self.random.choice(['a', 'b', ''])))})"
            case 3:
                return f"contains({self.path()}, {self.placed(self.value())})"
        kind = self.random.choice(["N", "S", "M", "SS", "BOOL"])
        return f"attribute_type({self.path()}, {self.placed(to_attribute(kind))})"

    def update(self) -> str:
        """At least one section, each at most once, in any order."""
        sections = {
            "SET": lambda: ", ".join(self._assignment() for _ in range(self.random.randint(1, 2))),
            "REMOVE": lambda: ", ".join(self.path() for _ in range(self.random.randint(1, 2))),
            "ADD": lambda: f"{self.path()} {self.placed(self._addend())}",
            "DELETE": lambda: f"{self.path()} {self.placed(self._addend())}",
        }
        chosen = self.random.choice(
            [["SET"], ["SET"], ["SET", "REMOVE"], ["ADD"], ["DELETE"], ["SET", "ADD", "DELETE"]]
        )
        self.random.shuffle(chosen)
        return " ".join(f"{name} {sections[name]()}" for name in chosen)

    def _assignment(self) -> str:
        added = f" {self.random.choice('+-')} {self._source()}" if self.random.random() < 0.3 else ""
        return f"{self.path()} = {self._source()}{added}"

    def _source(self, depth: int = 0) -> str:
        kind = self.random.random()
        if kind < 0.4:
            return self.placed(self.value())
        if kind < 0.6:
            return self.path()
        if kind < 0.75 and depth < 2:
            return f"if_not_exists({self.path()}, {self._source(depth + 1)})"
        if kind < 0.85 and depth < 2:
            return f"list_append({self._source(depth + 1)}, {self._source(depth + 1)})"
        return self.number(0, 5)

    def _addend(self) -> Any:
        return self.random.choice([{"N": "2"}, {"SS": ["a", "d"]}, {"SS": ["a", "b", "c"]}, self.value()])
