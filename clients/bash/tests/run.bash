#!/usr/bin/env bash
# Runs all tests, or those whose names are given. Each test is a function that runs in a subshell with its own scratch
# directory, and fails if a command in it fails. POSTERN_BIN names the binary.
set -uo pipefail
tests=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export POSTERN_BIN=${POSTERN_BIN:-$tests/../../../.build/release/postern}
# shellcheck source=postern.bash
source "$tests/../postern.bash"
# shellcheck source=tests/calls.bash
source "$tests/calls.bash"
# shellcheck source=tests/events.bash
source "$tests/events.bash"
# shellcheck source=tests/process.bash
source "$tests/process.bash"

# is ACTUAL EXPECTED: fails if they differ.
is() {
    [[ $1 == "$2" ]] || { printf 'got: %s\nnot: %s\n' "$1" "$2" >&2; return 1; }
}

# has TEXT PART: fails if PART is not in TEXT.
has() {
    [[ $1 == *"$2"* ]] || { printf 'got:  %s\nlacks: %s\n' "$1" "$2" >&2; return 1; }
}

# fails STATUS COMMAND …: fails unless the command fails with STATUS.
fails() {
    local expected=$1 status=0
    shift
    "$@" || status=$?
    is "$status" "$expected"
}

# becomes SECONDS COMMAND …: repeats the command until it succeeds; fails after SECONDS.
becomes() {
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        ((SECONDS < end)) || { printf 'never came: %s\n' "$*" >&2; return 1; }
        read -rt 0.02 <>"$scratch/pause" || :
    done
}

# Whether the file does not exist.
absent() { [[ ! -e $1 ]]; }
# Whether the process has ended; it may be a zombie.
ended() { [[ ! -e /proc/$1 || $(ps -o stat= -p "$1") == Z* ]]; }

# Prints the id of the client's Postern process.
process() { pgrep -x -P "$(<"$POSTERN_CLIENT/supervisor")" "${POSTERN_BIN##*/}"; }

# fake <<<SCRIPT: creates an executable from a script, which postern_open starts from then on in place of the binary.
fake() {
    { echo '#!/usr/bin/env bash' && cat; } >"$scratch/fake"
    chmod +x "$scratch/fake"
    POSTERN_BIN=$scratch/fake
}

# open_in_memory [FLAG …]: opens a client with an empty store in memory.
open_in_memory() {
    postern_open --data :memory: --no-email-confirmation "$@"
}

# Registers an operator and sets session, the first params of most calls.
register() {
    local -A operator
    postern -A operator operators.register user.first_name=Luke user.last_name=Sorenson \
        user.email=lasoren@bu.edu password='a long password'
    session=(user_id="${operator[id]}" session_id="${operator[session_id]}")
}

names=("$@")
((${#names[@]})) || mapfile -t names < <(compgen -A function test_)
passed=0 failed=0
for name in "${names[@]}"; do
    scratch=$(mktemp -d)
    mkfifo "$scratch/pause"
    start=$EPOCHREALTIME
    (
        set -eE
        trap 'printf "%s: line %s: %s\n" "$name" "$LINENO" "$BASH_COMMAND" >&2' ERR
        session=()
        "$name"
        postern_close
    ) >"$scratch/output" 2>&1
    status=$?
    if ((status == 0)); then
        passed=$((passed + 1))
        printf 'ok      %6s ms  %s\n' "$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))" "$name"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$name"
        cat "$scratch/output"
    fi
    rm -rf "$scratch"
done
printf '%s passed, %s failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
