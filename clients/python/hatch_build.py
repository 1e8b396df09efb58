"""Adds the program to a wheel, for `make dist`. Without its variables, a wheel has the client only."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BinaryHook(BuildHookInterface):  # type: ignore[type-arg]
    """WHEEL_BINARY is the path of the program, WHEEL_PLATFORMS the tags of the systems that run it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        binary = os.environ.get("WHEEL_BINARY")
        if binary is None:
            return
        build_data["shared_scripts"][binary] = "postern"
        build_data["tag"] = f"py3-none-{os.environ['WHEEL_PLATFORMS']}"
        # The licenses of what is in the program.
        notice = pathlib.Path(self.root).parents[1] / "NOTICE"
        build_data["force_include"][str(notice)] = "postern_accounts/NOTICE"
