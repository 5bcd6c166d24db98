"""Calls of one service side by side, on one thread: of functions that know nothing of it, too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from shared.adapters.aws.calls import GIVE_UP_AFTER_S, MAX_ATTEMPTS, JsonService, ServiceError, answer_of, told_as
from shared.adapters.aws.transport import Response, TransportError
from shared.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")


class Calling:
    """One call, with its further attempts: what `retried` is for one that has a thread of its own."""

    def __init__(self, service: JsonService, operation: str, request: Mapping[str, Any]) -> None:
        self.operation = operation
        self.request = request
        self._codec = service.codec
        self._call = f"{service.service}:{operation}"
        self._monotonic = service.monotonic
        self._give_up_at = service.monotonic() + GIVE_UP_AFTER_S
        self._attempts = 0
        self._answer: dict[str, Any] | None = None
        self._lost: TransportError | ServiceError | None = None

    def after(self, response: Response) -> int | None:
        try:
            self._answer = answer_of(response, self._call, self._codec)
        except (TransportError, ServiceError) as exc:
            return self._again(exc)
        return None

    def without(self, lost: TransportError) -> int | None:
        return self._again(lost)

    def late(self) -> None:
        """What is known of it stays."""

    def _again(self, exc: TransportError | ServiceError) -> int | None:
        self._attempts += 1
        self._lost = exc
        if isinstance(exc, ServiceError) and not exc.is_transient:
            return None
        is_over = self._attempts == MAX_ATTEMPTS or self._monotonic() > self._give_up_at
        return None if is_over else self._attempts - 1

    def outcome(self) -> dict[str, Any] | Exception:
        """Its answer, or what a call of its own would have raised; an operator is told of the latter."""
        if self._answer is not None:
            return self._answer
        if self._lost is None:
            return Unavailable()  # there was no time for any attempt
        told_as(self._call)(self._lost, self._attempts)
        if isinstance(self._lost, ServiceError) and not self._lost.is_transient:
            return self._lost
        unavailable = Unavailable()
        unavailable.__cause__ = self._lost
        return unavailable


class _Awaited(BaseException):
    """A function has come to a call whose answer is not there yet. No `except Exception` of its may hold that up."""

    def __init__(self, operation: str, request: Mapping[str, Any]) -> None:
        super().__init__()
        self.operation, self.request = operation, request


class _Rerun:
    def __init__(self, answers: Sequence[dict[str, Any] | Exception]) -> None:
        self._answers = deque(answers)

    @property
    def knows_more(self) -> bool:
        return bool(self._answers)

    def answered(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if not self._answers:
            raise _Awaited(operation, request)
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


class ParallelCalls:
    """ParallelMap on one thread, for functions that do nothing but call this one service: they run several times.

    Each runs until its first call; those of all of them are made side by side. Then each runs anew, with the answers
    that it has had, until its next. So a call is made once, and whatever else a function does several times. An
    instance has one thread for this: nobody else calls the service meanwhile.
    """

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Sequence[R]:
        everything = list(items)
        is_within_another = self._service.rerun is not None
        if len(everything) == 1 or is_within_another:
            return [function(one) for one in everything]
        answers: list[list[dict[str, Any] | Exception]] = [[] for _ in everything]
        results: dict[int, R] = {}
        while len(results) < len(everything):
            awaited: dict[int, Calling] = {}
            for number, item in enumerate(everything):
                if number in results:
                    continue
                self._service.rerun = _Rerun(answers[number])
                try:
                    results[number] = function(item)
                except _Awaited as call:
                    awaited[number] = Calling(self._service, call.operation, call.request)
                finally:
                    self._service.rerun = None
            self._service.make_all(list(awaited.values()))
            for number, calling in awaited.items():
                answers[number].append(calling.outcome())
        return [results[number] for number in range(len(everything))]
