#!/usr/bin/env bash
# Holds one Postern process for postern.bash, whose shell thereby has no descriptor that its other children would
# inherit: this process alone keeps the pipes open, and so decides when the process's input ends.
#
#     bash -p process.bash DIRECTORY OPENER CLOSE_SECONDS BINARY [ARGUMENT …]
#
# In DIRECTORY are the pipes `input` and `output` of the process, `errors` (its stderr), `recent` (the way to `fold`),
# `ready` (a byte comes once there is the process) and `pause` (nothing ever does). It makes the files `last` (the last lines
# on stderr) and `ended` (how the process ended). OPENER is the shell whose end, however it comes, is ours: setpriv has
# the system send SIGTERM then, which is what postern_close sends as well.
set -u

directory=$1 opener=$2 close_seconds=$3
shift 3
process='' input='' output='' closing='' status=0

# Ends the process: by the end of its input, which lets it answer all that it has read; in good time by signals.
close_input() {
    [[ ! $closing ]] || return 0
    closing=1
    [[ $input ]] && exec {input}>&-
    [[ $process ]] || return 0
    # What nobody is going to read must not keep the process from ending.
    cat <"$directory/output" >/dev/null {output}>&- &
    {
        pause "$close_seconds" &&
            echo "postern: the process did not end within $close_seconds seconds; it gets SIGTERM" >&"$stderr" &&
            kill -TERM "$process" && pause 5 && kill -KILL "$process"
    } {output}>&- &
}

# Waits for so many seconds; fails where they could not be waited for, as all is over.
pause() {
    read -rt "$1" <>"$directory/pause"
    (($? > 128))
}

# await PROCESS: waits until it has ended, and gives status. A signal ends `wait`, which may then have taken the end of
# any child without a note, and would wait for it forever.
await() {
    while kill -0 "$1"; do
        wait "$1"
        status=$?
    done
}

# Writes how the process ended, and tells whoever waits for a reply.
note_end() {
    local how="the process exited with code $1"
    (($1 > 128)) && how="the process was ended by SIG$(kill -l "$(($1 - 128))") (signal $(($1 - 128)))"
    { printf '%s\n' "$how" && cat "$directory/last"; } >"$directory/ended.new"
    mv "$directory/ended.new" "$directory/ended"
    # A reply that was cut short ends with the first of these line feeds.
    printf '\nended\n' >&"$output" {input}>&- &
    # Whoever writes a request gets through with it.
    cat <"$directory/input" >/dev/null {input}>&- {output}>&- &
    wait "$!"
}

trap close_input TERM
# The opener may have ended before the system was asked to tell.
[[ $PPID == "$opener" ]] || close_input
# Other descriptors of the opener are none of the process's business.
for path in /proc/self/fd/*; do
    fd=${path##*/}
    if ((fd > 2)) && [[ ! $path -ef ${BASH_SOURCE[0]} ]]; then exec {fd}>&-; fi
done
# Bash has remarks on jobs that are killed; they are told by `ended`.
exec {stderr}>&2 2>/dev/null

if [[ ! $closing ]]; then
    exec {input}<>"$directory/input" {output}<>"$directory/output" {ready}<>"$directory/ready" || exit 71
    # A line without an end is kept in pieces; tail alone would keep all of it. No pipeline of this shell's: `wait` for tail
    # would wait for fold as well, whose end a signal may have taken without a note.
    tail -n 20 < <(exec fold -b -w 65536 <"$directory/recent" {input}>&- {output}>&-) \
        >"$directory/last" {input}>&- {output}>&- &
    tail=$!
    tee -p "$directory/recent" <"$directory/errors" >&"$stderr" {input}>&- {output}>&- &
    tee=$!
    setpriv --pdeathsig TERM "$@" <"$directory/input" >"$directory/output" 2>"$directory/errors" \
        {input}>&- {output}>&- {stderr}>&- &
    process=$!
    # Told to end before there was a process.
    [[ ! $closing ]] || kill -TERM "$process"
    printf . >&"$ready"

    await "$process"
    process='' ended_with=$status
    # A mail command that the process left behind may hold its stderr open.
    { pause 1 && kill "$tee"; } {input}>&- {output}>&- &
    await "$tail"
    [[ $closing ]] || note_end "$ended_with"
fi

# Gone at once, so that nobody makes a file where a pipe was.
mv "$directory" "$directory.closed"
rm -r "$directory.closed"
# shellcheck disable=SC2046 # a list of process ids
kill $(jobs -p)
