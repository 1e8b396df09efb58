"""Installs the packages with npm, offline, and loads the client with import and require."""

import json
import os
import pathlib
import shutil
import tarfile
import time

from project import DIST, VERSION, Machine
from trials.trial import Times, expect, play_tour, run, runner

SESSION = """
const postern = await Postern.open({ data: ":memory:", arguments: ["--no-email-confirmation"] });
const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
await postern.operators.register({ user, password: "a long password" });
const operator = await postern.operators.signin({ email: user.email, password: "a long password" });
console.log(operator.user.first_name);
await postern.close();
"""
FILES = {
    "import.mjs": f'import {{ Postern }} from "postern-accounts";\n{SESSION}',
    "require.cjs": f'const {{ Postern }} = require("postern-accounts");\n(async () => {{ {SESSION} }})();\n',
}


def tried(machine: Machine, folder: pathlib.Path, times: Times) -> None:
    binary = DIST / f"postern-accounts-linux-{machine.node}-{VERSION}.tgz"
    if runner(machine):
        with tarfile.open(binary) as archive:
            archive.extractall(folder, filter="data")
        play_tour([*runner(machine), folder / "package/bin/postern"], folder)
        return
    # npm and node may be outside of /usr/bin.
    folders = [os.path.dirname(shutil.which(name) or "") for name in ("npm", "node")]
    path = {"PATH": ":".join([*folders, "/usr/bin", "/bin"])}
    (folder / "package.json").write_text('{"name": "app", "private": true}')
    started = time.monotonic()
    client = DIST / f"postern-accounts-{VERSION}.tgz"
    run("npm", "install", "--offline", "--no-audit", "--no-fund", binary, client, folder=folder, variables=path)
    for name, text in FILES.items():
        (folder / name).write_text(text)
        output = run("node", name, folder=folder, variables=path)
        expect(output == "Luke\n", f"{name} printed {output!r}")
        if name == "import.mjs":
            times.first_reply("Node, npm", started)
    manifest = json.loads((folder / "node_modules/postern-accounts/package.json").read_text())
    optional = manifest["optionalDependencies"]
    expect(optional.get(binary.name.removesuffix(f"-{VERSION}.tgz")) == VERSION, f"the optional dependencies are {optional}")
