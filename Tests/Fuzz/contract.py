"""The methods of schema/openrpc.json, from which sessions are built."""

import json
import os

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Contract:
    """The methods, with their params, result schemas and errors."""

    def __init__(self):
        with open(os.path.join(ROOT, "schema", "openrpc.json")) as file:
            document = json.load(file)
        self.methods = {method["name"]: method for method in document["methods"]}
        self.names = [name for name in self.methods if name != "rpc.discover"]
        components = {"components": document["components"]}
        self.results, self.slugs = {}, {}
        for name, method in self.methods.items():
            schema = {**components, **method["result"]["schema"]}
            self.results[name] = jsonschema.Draft7Validator(schema)
            errors = [(error["code"], error.get("data", {}).get("errors", [])) for error in method.get("errors", [])]
            self.slugs[name] = {(code, slug) for code, slugs in errors for slug in slugs}

    def example(self, name):
        """The params of a method's example."""
        examples = self.methods[name].get("examples") or [{}]
        return {param["name"]: json.loads(json.dumps(param["value"])) for param in examples[0].get("params", [])}
