"""Replays all transcripts of schema/cases through `call`, and prints each reply as one line of JSON."""

from __future__ import annotations

import json
from typing import Any

from transcripts import all_transcripts

from postern_accounts import CallError, Postern
from postern_accounts.testing import deterministic


def reply_to(postern: Postern, method: str, params: Any) -> dict[str, Any]:
    """The reply to a call as the service sent it, without the id."""
    try:
        return {"result": postern.call(method, params)}
    except CallError as error:
        return {"error": as_json(error)}


def as_json(error: CallError) -> dict[str, Any]:
    """The error as the service sent it."""
    data = {} if error.data is None else {"data": error.data}
    return {"code": error.code, "message": error.message, **data}


def main() -> None:
    for transcript in all_transcripts():
        with deterministic(*transcript.arguments) as postern:
            steps = transcript.play()
            step = next(steps, None)
            while step is not None:
                reply = reply_to(postern, step.method, step.params)
                line = {"case": step.case, "line": step.line, "reply": reply}
                print(json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
                try:
                    step = steps.send(reply)
                except StopIteration:
                    step = None


if __name__ == "__main__":
    main()
