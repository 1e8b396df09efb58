"""Builds a program with the Go module from a proxy in dist/go, in a module cache of its own."""

import pathlib
import shutil
import time

from builders.go import MODULE
from project import DIST, VERSION
from trials.trial import Times, expect, run

PROGRAM = f"""package main

import (
	"context"
	"fmt"
	"log"

	postern "{MODULE}"
)

func main() {{
	client, err := postern.Open(postern.Options{{Data: ":memory:"}})
	if err != nil {{
		log.Fatal(err)
	}}
	defer client.Close()
	info, err := client.System.Info(context.Background())
	if err != nil {{
		log.Fatal(err)
	}}
	fmt.Println(info.Name)
}}
"""


def tried(program: pathlib.Path, folder: pathlib.Path, times: Times) -> None:
    """Builds and runs a program with the binary beside it, and nothing on the PATH."""
    (folder / "main.go").write_text(PROGRAM)
    (folder / "go.mod").write_text(f"module example.com/app\n\ngo 1.19\n\nrequire {MODULE} v{VERSION}\n")
    variables = {
        "GOPROXY": f"file://{DIST / 'go'}",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GONOSUMDB": "*",
        "GOTOOLCHAIN": "local",
        "GOPATH": str(folder / "gopath"),
    }
    started = time.monotonic()
    run("go", "build", "-o", "app", ".", folder=folder, variables=variables)
    shutil.copy2(program, folder / "postern")
    output = run(folder / "app", folder=folder, variables={"PATH": ""})
    expect(output == "postern\n", f"the program printed {output!r}")
    times.first_reply("Go, module", started)
