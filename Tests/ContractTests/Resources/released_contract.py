"""Writes released-contract.json, the contract without its prose. To be run when a version is released.

CompatibilityTests compares it with the contract of each later commit.
"""

import json
import pathlib

FOLDER = pathlib.Path(__file__).parent
PROSE = {"description", "summary", "examples", "tags"}


def without_prose(value, is_properties=False):
    if isinstance(value, list):
        return [without_prose(element) for element in value]
    if not isinstance(value, dict):
        return value
    # A property may have the name of a keyword.
    return {
        name: without_prose(element, name == "properties")
        for name, element in value.items()
        if is_properties or name not in PROSE
    }


document = json.loads((FOLDER.parents[2] / "schema/openrpc.json").read_text())
released = {name: without_prose(document[name]) for name in ("info", "methods", "components")}
(FOLDER / "released-contract.json").write_text(json.dumps(released, separators=(",", ":")) + "\n")
