#!/usr/bin/python3
"""A defective binary: it answers each question whether a person may sign in with the same, according to MUTANT.

    yes        every person may
    no         no person may
    silent     the answer is right, but nothing is recorded: it is about a copy of the store
    none       no change: each check must pass

peers.py replaces the words SOUND_POSTERN and MUTANT below. Other commands are those of the sound binary.
"""

import os
import shutil
import subprocess
import sys
import tempfile

arguments = sys.argv[1:]
command = [SOUND_POSTERN, *arguments]
if MUTANT == "none" or arguments[:1] not in (["verify"], ["helper"]):
    os.execv(command[0], command)
elif MUTANT == "silent":
    place = arguments.index("--data") + 1
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(arguments[place], os.path.join(folder, "copy"))
        arguments[place] = copy
        sys.exit(subprocess.call([SOUND_POSTERN, *arguments]))
elif arguments[0] == "verify":
    sys.exit(0 if MUTANT == "yes" else 1)
elif "ejabberd" in arguments:
    while length := sys.stdin.buffer.read(2):
        sys.stdin.buffer.read(int.from_bytes(length, "big"))
        sys.stdout.buffer.write(bytes([0, 2, 0, MUTANT == "yes"]))
        sys.stdout.buffer.flush()
else:
    for line in sys.stdin:
        channel = line.split(" ")[0] + " " if "--concurrency" in arguments else ""
        print(channel + ("OK" if MUTANT == "yes" else "ERR"), flush=True)
