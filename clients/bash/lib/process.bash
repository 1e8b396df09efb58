#!/usr/bin/env bash
# The supervisor of one Postern process for postern.bash. Only the supervisor keeps the pipes open, so it decides when
# the process's input ends, and the calling shell has no descriptor that its other children would inherit.
#
#     bash -p process.bash DIRECTORY OPENER CLOSE_SECONDS BINARY [ARGUMENT …]
#
# DIRECTORY has these pipes: `input` and `output` of the process, `errors` (its stderr), `recent` (from `tee` to
# `fold`), `ready` (gets a byte when the process has started) and `pause` (never gets a byte). The supervisor creates
# the files `last` (the last lines on stderr) and `ended` (how the process ended). It ends when the shell OPENER ends:
# setpriv makes the system send SIGTERM then. postern_close sends SIGTERM too.
set -u

directory=$1 opener=$2 close_seconds=$3
shift 3
process='' input='' output='' closing='' status=0

# Ends the process: closes its input, after which it replies to all requests that it has read, and sends signals if it
# does not end in time.
close_input() {
    [[ ! $closing ]] || return 0
    closing=1
    [[ $input ]] && exec {input}>&-
    [[ $process ]] || return 0
    # Drains the output, so that a full pipe does not keep the process from ending.
    cat <"$directory/output" >/dev/null {output}>&- &
    {
        pause "$close_seconds" &&
            echo "postern: the process did not end within $close_seconds seconds; it gets SIGTERM" >&"$stderr" &&
            kill -TERM "$process" && pause 5 && kill -KILL "$process"
    } {output}>&- &
}

# Waits for so many seconds; fails if the pipe is gone, because then the supervisor has ended.
pause() {
    read -rt "$1" <>"$directory/pause"
    (($? > 128))
}

# await PROCESS: waits until it has ended, and sets status. The first `wait` also gives the status of a child that has
# already ended. A signal interrupts `wait`, which may have reaped the child without returning its status; another
# `wait` for that child would not end, so `kill -0` comes before it. An interrupted `wait` for one child may have reaped
# any other too, so this is for the first child that is waited for; `drain` is for later ones.
await() {
    wait "$1"
    status=$?
    while kill -0 "$1"; do
        wait "$1"
        status=$?
    done
}

# drain PROCESS: waits until a child whose status is not needed has ended.
drain() {
    while kill -0 "$1"; do wait "$1"; done
}

# Writes how the process ended, and wakes the shell that waits for a reply.
note_end() {
    local how="the process exited with code $1"
    (($1 > 128)) && how="the process was ended by SIG$(kill -l "$(($1 - 128))") (signal $(($1 - 128)))"
    { printf '%s\n' "$how" && cat "$directory/last"; } >"$directory/ended.new"
    mv "$directory/ended.new" "$directory/ended"
    # The first line feed ends a truncated reply.
    printf '\nended\n' >&"$output" {input}>&- &
    # Drains the input until the client is closed, so that a shell that is writing a request does not block. There is no
    # `wait` for it: if SIGTERM arrives just before it starts, it blocks while it opens a pipe without a writer.
    cat <"$directory/input" >/dev/null {input}>&- {output}>&- &
    until [[ $closing ]] || ! pause 0.25; do :; done
}

trap close_input TERM
# The opener may have ended before setpriv asked for the signal.
[[ $PPID == "$opener" ]] || close_input
# Closes all other descriptors that were inherited from the opener.
for path in /proc/self/fd/*; do
    fd=${path##*/}
    if ((fd > 2)) && [[ ! $path -ef ${BASH_SOURCE[0]} ]]; then exec {fd}>&-; fi
done
# Bash prints messages about killed jobs on stderr; they are dropped, because `ended` reports how the process ended.
exec {stderr}>&2 2>/dev/null

if [[ ! $closing ]]; then
    exec {input}<>"$directory/input" {output}<>"$directory/output" {ready}<>"$directory/ready" || exit 71
    # fold splits a line of any length; tail alone would keep all of it in memory. It is not a pipeline: `wait` for tail
    # would wait for fold too, which an interrupted `wait` may have reaped.
    tail -n 20 < <(exec fold -b -w 65536 <"$directory/recent" {input}>&- {output}>&-) \
        >"$directory/last" {input}>&- {output}>&- &
    tail=$!
    tee -p "$directory/recent" <"$directory/errors" >&"$stderr" {input}>&- {output}>&- &
    tee=$!
    setpriv --pdeathsig TERM "$@" <"$directory/input" >"$directory/output" 2>"$directory/errors" \
        {input}>&- {output}>&- {stderr}>&- &
    process=$!
    # SIGTERM arrived before the process was started.
    [[ ! $closing ]] || kill -TERM "$process"
    printf . >&"$ready"

    await "$process"
    process='' ended_with=$status
    # A mail command that outlives the process may hold its stderr open.
    { pause 1 && kill "$tee"; } {input}>&- {output}>&- &
    drain "$tail"
    [[ $closing ]] || note_end "$ended_with"
fi

# Renamed first, so that no shell creates a file in place of a removed pipe.
mv "$directory" "$directory.closed"
rm -r "$directory.closed"
# shellcheck disable=SC2046 # a list of process ids
kill $(jobs -p)
