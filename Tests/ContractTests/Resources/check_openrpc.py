"""Checks that schema/openrpc.json is valid OpenRPC 1.4 and agrees with the transcripts.

Usage: check_openrpc.py REPOSITORY. Prints each fault on a line, and exits 1 if there are any.
"""

import json
import pathlib
import sys

from jsonschema import Draft7Validator

KINDS = {
    "<any>": None,
    "<string>": "text",
    "<integer>": 1,
    "<time>": "2016-02-24T22:07:52.371513Z",
    "<uuid>": "b02b06ad-fc33-4b9a-bbfd-94f0b772ebd1",
    "<hex 32>": "0" * 32,
    "<hex 64>": "0" * 64,
    "<hex 128>": "0" * 128,
}


def problems(root):
    document = json.loads((root / "schema/openrpc.json").read_text())
    meta = json.loads((root / "Tests/ContractTests/Resources/openrpc-1.4.schema.json").read_text())
    for error in Draft7Validator(meta).iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"

    def validator(schema):
        return Draft7Validator({"components": document["components"], "allOf": [schema]})

    for name, schema in document["components"]["schemas"].items():
        Draft7Validator.check_schema(schema)
        yield from (f"{name}: {ref} leads nowhere" for ref in references(schema) if not resolves(ref, document))

    methods = {method["name"]: method for method in document["methods"]}
    if len(methods) != len(document["methods"]):
        yield "a method is listed twice"
    for name, method in methods.items():
        yield from (f"{name}: {ref} leads nowhere" for ref in references(method) if not resolves(ref, document))
        codes = [error["code"] for error in method.get("errors", [])]
        if len(set(codes)) != len(codes):
            yield f"{name}: an error code is listed twice"
        required = [param.get("required", False) for param in method["params"]]
        if required != sorted(required, reverse=True):
            yield f"{name}: an optional param precedes a required one"
        for example in method.get("examples", []):
            given = {param["name"]: param["value"] for param in example["params"]}
            yield from wrong_params(name, method, given, validator)
            yield from (
                f"{name}: example: {error.message[:200]}"
                for error in validator(method["result"]["schema"]).iter_errors(example["result"]["value"])
            )

    for file in sorted((root / "schema/cases").glob("*.jsonl")):
        for number, line in enumerate(file.open(encoding="utf-8", newline="\n"), 1):
            # Strings may contain U+2028, at which `splitlines` would split.
            step = json.loads(line)
            result = step.get("expect", {}).get("result", "<any>")
            if "send" not in step or "result" not in step.get("expect", {}):
                continue
            method = methods.get(step["send"]["method"])
            if method is None:
                yield f"{file.name}:{number}: no such method"
                continue
            # A name in braces stands for a value kept from an earlier reply.
            if result != "<any>" and "<any>" not in json.dumps(result):
                for error in validator(method["result"]["schema"]).iter_errors(concrete(result)):
                    yield f"{file.name}:{number}: {error.message[:200]}"


def wrong_params(name, method, given, validator):
    for param in method["params"]:
        if param["name"] in given:
            for error in validator(param["schema"]).iter_errors(given[param["name"]]):
                yield f"{name}: example: {error.message[:200]}"
        elif param.get("required"):
            yield f"{name}: the example lacks {param['name']}"
    for stranger in given.keys() - {param["name"] for param in method["params"]}:
        yield f"{name}: the example has {stranger}, which is no param"


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for element in value:
            yield from references(element)


def resolves(reference, document):
    value = document
    for part in reference.removeprefix("#/").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value is not None


def concrete(value):
    if isinstance(value, dict):
        return {name: concrete(member) for name, member in value.items()}
    if isinstance(value, list):
        return [concrete(element) for element in value]
    return KINDS.get(value, value) if isinstance(value, str) else value


found = list(problems(pathlib.Path(sys.argv[1])))
print("\n".join(found))
sys.exit(1 if found else 0)
