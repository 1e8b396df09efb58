"""Replays the transcripts of schema/cases through the typed methods if the params have their types, or else through
`call`."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import json
import re
import types
import typing
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Literal

from replay import as_json
from transcripts import SCHEMA, Step, Transcript, all_transcripts, matches

from postern_accounts import AsyncPostern, CallError, Postern, errors
from postern_accounts._requests import wire_value
from postern_accounts.testing import async_deterministic, deterministic

METHODS = {method["name"] for method in json.loads((SCHEMA / "openrpc.json").read_text())["methods"]}


def test_transcripts_through_the_sync_client() -> None:
    async def play(transcript: Transcript) -> set[str]:
        with deterministic(*transcript.arguments) as postern:

            async def call(method: str, params: Any) -> Any:
                return postern.call(method, params)

            async def call_typed(function: Callable[..., Any], params: dict[str, Any]) -> Any:
                return function(**params)

            return await replay(transcript, postern, call, call_typed)

    check_all(play)


def test_transcripts_through_the_async_client() -> None:
    async def play(transcript: Transcript) -> set[str]:
        async with async_deterministic(*transcript.arguments) as postern:

            async def call_typed(function: Callable[..., Any], params: dict[str, Any]) -> Any:
                return await function(**params)

            return await replay(transcript, postern, postern.call, call_typed)

    check_all(play)


def check_all(play: Callable[[Transcript], Awaitable[set[str]]]) -> None:
    """Replays all transcripts, and checks that each method is called in its typed form at least once."""

    async def play_all() -> set[str]:
        return {method for transcript in all_transcripts() for method in await play(transcript)}

    assert asyncio.run(play_all()) == METHODS


async def replay(
    transcript: Transcript,
    postern: Postern | AsyncPostern,
    call: Callable[[str, Any], Awaitable[Any]],
    call_typed: Callable[[Callable[..., Any], dict[str, Any]], Awaitable[Any]],
) -> set[str]:
    """Replays a transcript, and returns the methods that were called in their typed form."""
    typed = set()
    steps = transcript.play()
    step: Step | None = next(steps)
    while step is not None:
        function = method_for(postern, step)
        try:
            if function is None:
                reply = {"result": await call(step.method, step.params)}
            else:
                typed.add(step.method)
                reply = {"result": to_json(await call_typed(function, step.params or {}))}
        except CallError as error:
            check_error(step.method, error, step.expected["error"])
            reply = {"error": as_json(error)}
        expected = {name: step.expected[name] for name in ("result", "error") if name in step.expected}
        assert matches(reply, expected), f"{step.case}:{step.line}: {reply}"
        try:
            step = steps.send(reply)
        except StopIteration:
            step = None
    return typed


def check_error(method: str, error: CallError, expected: dict[str, Any]) -> None:
    data = expected.get("data", {})
    slugs = data.get("errors", [])
    known = [errors.BY_API.get(method.partition(".")[0], {}), errors.BY_API["service"]]
    assert type(error) is (next(types[slugs[0]] for types in known if slugs[0] in types) if slugs else CallError)
    assert (error.code, list(error.errors)) == (expected["code"], slugs)
    assert matches(error.message, expected["message"])
    assert error.slug == (slugs[0] if slugs else None)
    assert matches(error.field, data.get("field"))
    assert matches(error.retry_after, data.get("retry_after"))


def method_for(postern: Postern | AsyncPostern, step: Step) -> Callable[..., Any] | None:
    """The typed method of a step; None if the params do not have its types."""
    if step.method not in METHODS or not isinstance(step.params, (dict, types.NoneType)):
        return None
    found: Any = postern
    for word in step.method.split("."):
        found = getattr(found, word)
    function: Callable[..., Any] = found
    hints = typing.get_type_hints(function)
    params = step.params or {}
    wanted = inspect.signature(function).parameters
    required = {name for name, param in wanted.items() if param.default is param.empty}
    fit = required <= params.keys() <= wanted.keys() and all(fits(value, hints[name]) for name, value in params.items())
    return function if fit else None


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has a type."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in typing.get_args(hint))
    if typing.get_origin(hint) is Literal:
        return value in typing.get_args(hint)
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint)
        return (
            isinstance(value, dict)
            and hint.__required_keys__ <= value.keys() <= hints.keys()
            and all(fits(inner, hints[name]) for name, inner in value.items())
        )
    return type(value) is (typing.get_origin(hint) or hint)


def to_json(value: Any) -> Any:
    """A typed result as the service sent it."""
    if dataclasses.is_dataclass(value):
        # A property with a default is optional.
        properties = {field.name: (getattr(value, field.name), field.default) for field in dataclasses.fields(value)}
        kind: Any = type(value)
        epochs = epochs_of(kind)
        return {
            name: int(inner.timestamp()) if name in epochs else to_json(inner)
            for name, (inner, default) in properties.items()
            if inner is not default
        }
    if isinstance(value, tuple):
        return [to_json(element) for element in value]
    return wire_value(value) if isinstance(value, date) else value


@functools.cache
def epochs_of(kind: Any) -> set[str]:
    """The properties that are Unix times on the wire, and datetimes in a result, like the other times."""
    return set(re.findall(r'"(\w+)", epoch\)', inspect.getsource(kind.from_json)))
