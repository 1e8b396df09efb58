#!/usr/bin/env bash
# Runs the tests: all, or those whose names are given. Each is a function of its own shell, with a directory of its own
# to write to, and fails where a command in it does. POSTERN_BIN names the program.
set -uo pipefail
tests=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export POSTERN_BIN=${POSTERN_BIN:-$tests/../../../.build/release/postern}
# shellcheck source=postern.bash
source "$tests/../postern.bash"
# shellcheck source=tests/calls.bash
source "$tests/calls.bash"
# shellcheck source=tests/process.bash
source "$tests/process.bash"

# is ACTUAL EXPECTED: fails where they differ.
is() {
    [[ $1 == "$2" ]] || { printf 'got: %s\nnot: %s\n' "$1" "$2" >&2; return 1; }
}

# has TEXT PART: fails where the part is not in the text.
has() {
    [[ $1 == *"$2"* ]] || { printf 'got:  %s\nlacks: %s\n' "$1" "$2" >&2; return 1; }
}

# fails STATUS COMMAND …: fails unless the command does, with this status.
fails() {
    local expected=$1 status=0
    shift
    "$@" || status=$?
    is "$status" "$expected"
}

# becomes SECONDS COMMAND …: waits until the command succeeds; fails where it has not by then.
becomes() {
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        ((SECONDS < end)) || { printf 'never came: %s\n' "$*" >&2; return 1; }
        read -rt 0.02 <>"$scratch/pause" || :
    done
}

# Whether there is no such file, or no such process but for its status.
absent() { [[ ! -e $1 ]]; }
ended() { [[ ! -e /proc/$1 || $(ps -o stat= -p "$1") == Z* ]]; }

# The process that the client has, by its id.
process() { pgrep -x -P "$(<"$POSTERN_CLIENT/supervisor")" "${POSTERN_BIN##*/}"; }

# fake <<<SCRIPT: makes a program of a script and has it opened from now on.
fake() {
    { echo '#!/usr/bin/env bash' && cat; } >"$scratch/fake"
    chmod +x "$scratch/fake"
    POSTERN_BIN=$scratch/fake
}

# open_rehearsal [FLAG …]: opens a client that has nothing of before.
open_rehearsal() {
    postern_open --data :memory: --no-email-confirmation "$@"
}

# Registers an operator and gives session, the first words of most calls.
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
