#!/usr/bin/env bash
# Prints the overhead of a call over a bare loop on the pipes, as a line of JSON: medians of 5,000 calls of
# operators.clients.get with nothing changed, in alternating batches, one process for the bare loop and one for the
# client; and the calls a second of 50 shells.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export POSTERN_BIN=${POSTERN_BIN:-$here/../../.build/release/postern}
# shellcheck source=postern.bash
source "$here/postern.bash"

batches=50 batch=100 tasks=50 calls=200 openings=50
flags=(--data :memory: --no-email-confirmation --clock 2016-02-24T22:07:52.371513Z --seed 7)

# Measures opening, with and without the wait for a first reply.
if [[ ${1-} == opening ]]; then
    times=$(mktemp -d)
    trap 'rm -r "$times"' EXIT
    for ((i = 0; i < openings; i++)); do
        for flag in '' --no-wait; do
            start=${EPOCHREALTIME/[.,]/}
            postern_open ${flag:+"$flag"} --data :memory:
            echo "$((${EPOCHREALTIME/[.,]/} - start))" >>"$times/open$flag"
            postern_close
        done
    done
    median() { sort -n "$1" | sed -n "$((openings / 2))p" | sed -E 's/^(.*)(...)$/\1.\2/'; }
    printf '{"client":"bash","open_ms":%.2f,"unready_ms":%.2f}\n' "$(median "$times/open")" \
        "$(median "$times/open--no-wait")"
    exit
fi

declare -A operator
words=(user.first_name=Luke user.last_name=Sorenson user.email=lasoren@bu.edu password='a long password')

postern_open "${flags[@]}"
postern -A operator operators.register "${words[@]}"
session=(user_id="${operator[id]}" session_id="${operator[session_id]}")

# A second process with the same state, because the seed is the same.
coproc BARE { "$POSTERN_BIN" "${flags[@]}" 2>/dev/null; }
exec {from}<&"${BARE[0]}" {to}>&"${BARE[1]}"
request='{"jsonrpc":"2.0","id":1,"method":"operators.register","params":{"user":{"first_name":"Luke",'
request+='"last_name":"Sorenson","email":"lasoren@bu.edu"},"password":"a long password"}}'
printf '%s\n' "$request" >&"$to"
read -r reply <&"$from"
[[ $reply == *"${operator[session_id]}"* ]]
request='{"jsonrpc":"2.0","id":1,"method":"operators.clients.get","params":{"user_id":1,"session_id":"'
request+=${operator[session_id]}'","provision":1}}'

# These print the time of each call of a batch, in microseconds, and check the last reply.
time_bare() {
    local i start
    for ((i = 0; i < batch; i++)); do
        start=${EPOCHREALTIME/[.,]/}
        printf '%s\n' "$request" >&"$to"
        read -r reply <&"$from"
        echo "$((${EPOCHREALTIME/[.,]/} - start))"
    done
    [[ $reply == *'{"clients":[],"provision":1}}' ]]
}
time_client() {
    local i start
    for ((i = 0; i < batch; i++)); do
        start=${EPOCHREALTIME/[.,]/}
        postern -v reply operators.clients.get "${session[@]}" provision=1
        echo "$((${EPOCHREALTIME/[.,]/} - start))"
    done
    [[ $reply == '{"clients":[],"provision":1}' ]]
}

times=$(mktemp -d)
trap 'rm -r "$times"' EXIT
for ((round = 0; round < batches; round++)); do
    time_bare >>"$times/bare"
    time_client >>"$times/client"
done
exec {to}>&-

many() {
    local i reply
    for ((i = 0; i < calls; i++)); do postern -v reply operators.clients.get "${session[@]}" provision=1; done
}
start=${EPOCHREALTIME/[.,]/}
for ((task = 0; task < tasks; task++)); do
    many &
    ids[task]=$!
done
for id in "${ids[@]}"; do wait "$id"; done
concurrent=$((tasks * calls * 1000000 / (${EPOCHREALTIME/[.,]/} - start)))
postern_close

median() { sort -n "$1" | sed -n "$((batches * batch / 2))p"; }
raw=$(median "$times/bare") client=$(median "$times/client")
printf '{"client":"bash","raw_us":%d,"client_us":%d,"overhead_us":%d,"concurrent_calls_per_second":%d}\n' \
    "$raw" "$client" "$((client - raw))" "$concurrent"
