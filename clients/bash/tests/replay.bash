#!/usr/bin/env bash
# Replays the transcripts of schema/cases through the client. A step whose params match the method's table is called
# with `postern`, and with -A if the result is an object of the contract; every other step with `postern_call`.
#
#     replay.bash            prints the replies that differ from the transcripts; the status is 1 if any does
#     replay.bash --print    prints each reply as a line of JSON with its properties sorted
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cases=$here/../../../schema/cases
export POSTERN_BIN=${POSTERN_BIN:-$here/../../../.build/release/postern}
# shellcheck source=postern.bash
source "$here/../postern.bash"

# Sets params and results to the client's tables as JSON objects, so that jq uses the same tables as bash.
tables() {
    local method line separator=''
    params='{' results='{'
    for method in "${!_POSTERN_PARAMS[@]}"; do
        params+="$separator\"$method\":{\"\":\"\""
        for line in ${_POSTERN_PARAMS[$method]}; do params+=",\"${line%:*}\":\"${line#*:}\""; done
        params+='}'
        results+="$separator\"$method\":\"${_POSTERN_RESULTS[$method]}\""
        separator=,
    done
    params+='}' results+='}'
}

# Sets words to the next strings that jq prints: first their number, then the strings.
read_words() {
    local count
    IFS= read -rd '' -u "$from_jq" count || return
    words=()
    while ((${#words[@]} < count)); do
        IFS= read -rd '' -u "$from_jq" "words[${#words[@]}]"
    done
}

# Appends a text to said as a JSON string.
quote() {
    local _postern_json
    _postern_quote "$1"
    said+=$_postern_json
}

# Makes the call that words describe, and sets said to the method and its result or error as JSON.
call() {
    local kind=${words[0]} method=${words[2]} value='' name separator=''
    local -A array=()
    case $kind in
        raw) postern_call -q -v value "$method" ${words[3]:+"${words[3]}"} ;;
        value) postern -q -v value "$method" "${words[@]:3}" ;;
        array) postern -q -A array "$method" "${words[@]:3}" ;;
    esac || {
        (($? == 1)) || { printf '%s: %s\n' "$POSTERN_ERROR" "$POSTERN_ERROR_MESSAGE" >&2; exit 1; }
    }
    [[ $kind == raw ]] || typed[$method]=1
    said='{"method":'
    quote "$method"
    if [[ $POSTERN_ERROR ]]; then
        said+=",\"error\":{\"code\":$POSTERN_ERROR_CODE,\"data\":${POSTERN_ERROR_DATA:-null},\"message\":"
        quote "$POSTERN_ERROR_MESSAGE"
        said+='},"slugs":['
        for name in "${POSTERN_ERRORS[@]}"; do
            said+=$separator
            quote "$name"
            separator=,
        done
        said+='],"slug":'
        quote "$POSTERN_ERROR_SLUG"
        said+=',"field":'
        quote "$POSTERN_ERROR_FIELD"
        said+=',"retry_after":'
        quote "$POSTERN_ERROR_RETRY_AFTER"
    elif [[ $kind == array ]]; then
        said+=',"array":{'
        for name in "${!array[@]}"; do
            said+=$separator
            quote "$name"
            said+=:
            quote "${array[$name]}"
            separator=,
        done
        said+='}'
    else
        said+=",\"result\":$value"
    fi
    said+='}'
}

# play FILE: replays one transcript.
play() {
    local name=${1##*/} arguments words said line=0 params results from_jq to_jq jq
    mapfile -t arguments < <(jq -r 'select(.transcript) | .arguments // [] | .[]' "$1")
    tables
    postern_open --data :memory: --clock 2016-02-24T22:07:52.371513Z --seed 7 "${arguments[@]}"
    coproc JQ {
        jq -nj --unbuffered -L "$here/../lib" --arg case "$name" --slurpfile steps "$1" \
            --argjson params "$params" --argjson results "$results" -f "$here/replay.jq"
    }
    exec {from_jq}<&"${JQ[0]}" {to_jq}>&"${JQ[1]}"
    # shellcheck disable=SC2153 # set by coproc
    jq=$JQ_PID
    while read_words; do
        line=${words[1]}
        call
        printf '%s\n' "$said" >&"$to_jq"
        read_words || { printf '%s:%s: jq failed\n' "$name" "$line"; failures=$((failures + 1)); break; }
        replies=$((replies + 1))
        if [[ $print ]]; then
            printf '%s\n' "${words[2]}"
        elif [[ ${words[1]} ]]; then
            printf '%s:%s: %s\n' "$name" "$line" "${words[1]}"
            failures=$((failures + 1))
        fi
    done
    exec {from_jq}<&- {to_jq}>&-
    wait "$jq" || failures=$((failures + 1))
    postern_close
}

print=''
[[ ${1-} == --print ]] && print=1
declare -A typed=()
failures=0 replies=0
all() {
    local file method
    for file in "$cases"/*.jsonl; do play "$file"; done
    [[ $print ]] && return
    for method in "${!_POSTERN_PARAMS[@]}"; do
        [[ ${typed[$method]+there} ]] && continue
        printf 'no transcript calls %s through its table\n' "$method"
        failures=$((failures + 1))
    done
    printf '%s replies, %s not as expected\n' "$replies" "$failures"
    ((failures == 0 && replies > 0))
}
if [[ $print ]]; then all | jq -cS .; else all; fi
