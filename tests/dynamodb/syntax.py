"""The grammar of DynamoDB's expressions: texts in, trees out. What the names and values stand for is not looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from tests.dynamodb.errors import Unsupported, invalid
from tests.dynamodb.reserved import RESERVED
from tests.dynamodb.tree import (
    Action,
    Between,
    Both,
    Comparison,
    Either,
    In,
    Made,
    Node,
    Not,
    Operand,
    Path,
    Predicate,
    Size,
    Source,
    Sum,
    Used,
    Value,
)

T = TypeVar("T")

COMPARATORS: Final = ("=", "<>", "<", "<=", ">", ">=")
# With the number of their arguments.
_TESTS: Final = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
_MAKERS: Final = {"if_not_exists": 2, "list_append": 2}
_SECTIONS: Final = ("SET", "REMOVE", "ADD", "DELETE")
_MAX_IN: Final = 100
_TOKEN: Final = re.compile(
    r"\s*(?:([A-Za-z][A-Za-z0-9_]*|#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|[0-9]+)|(<>|<=|>=|[=<>(),.\[\]+-])|(\S))"
)


def parse_condition(text: str, kind: str) -> tuple[Node, Used]:
    """The tree of a condition or key condition. `kind` is what the request calls it."""
    parser = _Parser(text, kind)
    node = parser.either()
    parser.end()
    return node, parser.used()


def parse_update(text: str) -> tuple[tuple[Action, ...], Used]:
    parser = _Parser(text, "UpdateExpression")
    actions = tuple(parser.sections())
    return actions, parser.used()


class _Parser:
    def __init__(self, text: str, kind: str) -> None:
        self._kind = kind
        self._tokens = [*self._split(text), "", ""]
        self._at = 0
        self._documents: list[Path] = []
        if not self._tokens[0]:
            raise self.wrong("The expression can not be empty;")

    def _split(self, text: str) -> Iterator[str]:
        for match in _TOKEN.finditer(text.rstrip()):
            if match[3]:
                raise self.wrong(f'Syntax error; token: "{match[3]}"')
            yield match[1] or match[2]

    def used(self) -> Used:
        return Used(
            frozenset(token for token in self._tokens if token.startswith("#")),
            frozenset(token for token in self._tokens if token.startswith(":")),
            tuple(self._documents),
        )

    def wrong(self, message: str) -> Exception:
        return invalid(f"Invalid {self._kind}: {message}")

    def end(self) -> None:
        if self._token:
            raise self._unexpected()

    # --- tokens

    @property
    def _token(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _unexpected(self) -> Exception:
        return self.wrong(f'Syntax error; token: "{self._token or "<EOF>"}"')

    def _skip(self, wanted: str) -> bool:
        """Whether this token was next. Keywords are the same in upper and lower case."""
        if self._token.upper() != wanted:
            return False
        self._at += 1
        return True

    def _need(self, wanted: str) -> None:
        if not self._skip(wanted):
            raise self._unexpected()

    def _listed(self, one: Callable[[], T]) -> list[T]:
        found = [one()]
        while self._skip(","):
            found.append(one())
        return found

    # --- conditions

    def either(self) -> Node:
        node = self._both()
        while self._skip("OR"):
            node = Either(node, self._both())
        return node

    def _both(self) -> Node:
        node = self._not()
        while self._skip("AND"):
            node = Both(node, self._not())
        return node

    def _not(self) -> Node:
        return Not(self._not()) if self._skip("NOT") else self._single()

    def _single(self) -> Node:
        if self._token == "(":
            return self._in_parentheses()
        if self._tokens[self._at + 1] == "(" and self._token != "size":
            return self._test()
        left = self.operand()
        if self._token in COMPARATORS:
            return Comparison(self._next(), left, self.operand())
        if self._skip("BETWEEN"):
            low = self.operand()
            self._need("AND")
            return Between(left, low, self.operand())
        if self._skip("IN"):
            self._need("(")
            among = self._listed(self.operand)
            self._need(")")
            if len(among) > _MAX_IN:
                raise self.wrong(
                    f"The IN operator is provided with too many operands; number of operands: {len(among)}"
                )
            return In(left, tuple(among))
        if self._token == ")" and self._tokens[self._at - 2] == "(":
            raise Unsupported("an operand in parentheses")
        raise self._unexpected()

    def _in_parentheses(self) -> Node:
        self._need("(")
        start = self._at
        node = self.either()
        if self._tokens[start] == "(" and self._closes(start) == self._at - 1:
            raise self.wrong("The expression has redundant parentheses;")
        self._need(")")
        return node

    def _closes(self, opening: int) -> int:
        """Where the parenthesis that opens here is closed."""
        depth = 0
        for at in range(opening, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[at], 0)
            if depth == 0:
                return at
        return -1

    def _test(self) -> Predicate:
        function = self._next()
        if function not in _TESTS:
            raise self.wrong(f"Invalid function name; function: {function}")
        arguments = self._arguments(_TESTS[function], function, self.operand)
        if function.startswith("attribute_") and not isinstance(arguments[0], Path):
            raise self.wrong(f"Operator or function requires a document path; operator or function: {function}")
        return Predicate(function, tuple(arguments))

    def _arguments(self, count: int, function: str, one: Callable[[], T]) -> list[T]:
        self._need("(")
        arguments = self._listed(one)
        self._need(")")
        if len(arguments) != count:
            raise self.wrong(f"Incorrect number of operands for operator or function; operator or function: {function}")
        return arguments

    def operand(self) -> Operand:
        if self._token == "size" and self._tokens[self._at + 1] == "(":
            self._at += 1
            (of,) = self._arguments(1, "size", self._plain)
            return Size(of)
        return self._plain()

    def _plain(self) -> Path | Value:
        if self._token.startswith(":"):
            return Value(self._next())
        return self.path()

    def path(self) -> Path:
        segments = [self._segment()]
        while self._skip("."):
            segments.append(self._segment())
        if self._token == "[":
            raise Unsupported("an element of a list in an expression")
        path = Path(tuple(segments))
        if len(segments) > 1:
            self._documents.append(path)
        return path

    def _segment(self) -> str:
        token = self._token
        if not (token.startswith("#") or token[:1].isalpha()):
            raise self._unexpected()
        if token.upper() in RESERVED:
            raise self.wrong(f"Attribute name is a reserved keyword; reserved keyword: {token}")
        return self._next()

    # --- updates

    def sections(self) -> Iterator[Action]:
        seen: set[str] = set()
        while self._token:
            verb = self._token.upper()
            if verb not in _SECTIONS:
                raise self._unexpected()
            if verb in seen:
                raise self.wrong(f'The "{verb}" section can only be used once in an update expression;')
            seen.add(verb)
            self._at += 1
            yield from self._listed(lambda verb=verb: self._action(verb))  # type: ignore[misc]

    def _action(self, verb: str) -> Action:
        path = self.path()
        if verb == "REMOVE":
            return Action(verb, path, None)
        if verb == "SET":
            self._need("=")
            return Action(verb, path, self._sum())
        if not self._token.startswith(":"):
            raise self._unexpected()
        return Action(verb, path, Value(self._next()))

    def _sum(self) -> Source:
        if self._token == "(":
            raise Unsupported("an operand in parentheses")
        left = self._source(outermost=True)
        if self._token not in {"+", "-"}:
            return left
        if isinstance(left, Made) and left.function == "list_append":
            raise self.wrong("The function is not allowed to be used this way in an expression; function: list_append")
        return Sum(self._next(), left, self._source())

    def _source(self, *, outermost: bool = False) -> Source:
        if self._tokens[self._at + 1] != "(":
            return self._plain()
        function = self._next()
        if function not in _MAKERS:
            raise self.wrong(f"Invalid function name; function: {function}")
        if function == "list_append" and not outermost:
            raise self.wrong(f"The function is not allowed to be used this way in an expression; function: {function}")
        left, right = self._arguments(_MAKERS[function], function, self._source)
        if function == "if_not_exists" and not isinstance(left, Path):
            raise self.wrong(f"Operator or function requires a document path; operator or function: {function}")
        return Made(function, left, right)
