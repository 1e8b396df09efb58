#!/bin/sh
# Runs the simulation that was built for coverage in a folder, and writes there which lines of the store it has not run.
set -eu
folder=$1
tools=$(dirname "$(readlink -f "$(command -v swift)")")
simulation=$folder/release/Simulation
LLVM_PROFILE_FILE=$folder/histories.profraw "$simulation" --seed 1 --seconds 120
LLVM_PROFILE_FILE=$folder/salvage.profraw "$simulation" --salvage --count 300 >"$folder/salvage.jsonl"
"$tools/llvm-profdata" merge "$folder/histories.profraw" "$folder/salvage.profraw" -o "$folder/profile"
"$tools/llvm-cov" show "$simulation" -instr-profile "$folder/profile" Sources/DirectoryStore |
    grep -E '^/|^ *[0-9]+\| +0\|' >"$folder/lines.txt"
"$tools/llvm-cov" report "$simulation" -instr-profile "$folder/profile" Sources/DirectoryStore |
    awk '{ print $1, $8, $9, $10 }'
