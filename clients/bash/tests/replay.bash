#!/usr/bin/env bash
# Plays the stories of schema/cases through the client. Steps whose params are right for the method go through
# `postern`, with -A where it gives an object of the contract; all others through `postern_call`.
#
#     replay.bash            says what was not as expected, with status 1 where anything was not
#     replay.bash --print    prints each reply as a line of JSON with its members sorted
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cases=$here/../../../schema/cases
export POSTERN_BIN=${POSTERN_BIN:-$here/../../../.build/release/postern}
# shellcheck source=postern.bash
source "$here/../postern.bash"

# What a table of the client has for each method, as a JSON object: jq plays by the same tables as bash.
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

# Gives words, the next strings that jq says.
hear() {
    local count
    IFS= read -rd '' -u "$hearing" count || return
    words=()
    while ((${#words[@]} < count)); do
        IFS= read -rd '' -u "$hearing" "words[${#words[@]}]"
    done
}

# Gives said, a text for jq.
quote() {
    local _postern_json
    _postern_quote "$1"
    said+=$_postern_json
}

# Gives said, the call that words ask for and what came of it.
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

# play FILE: plays one story.
play() {
    local name=${1##*/} arguments words said line=0 params results hearing speaking jq
    mapfile -t arguments < <(jq -r 'select(.transcript) | .arguments // [] | .[]' "$1")
    tables
    postern_open --data :memory: --clock 2016-02-24T22:07:52.371513Z --seed 7 "${arguments[@]}"
    coproc JUDGE {
        jq -nj --unbuffered -L "$here/../lib" --arg case "$name" --slurpfile steps "$1" \
            --argjson params "$params" --argjson results "$results" -f "$here/replay.jq"
    }
    exec {hearing}<&"${JUDGE[0]}" {speaking}>&"${JUDGE[1]}"
    # shellcheck disable=SC2153 # set by coproc
    jq=$JUDGE_PID
    while hear; do
        line=${words[1]}
        call
        printf '%s\n' "$said" >&"$speaking"
        hear || { printf '%s:%s: jq had to give up\n' "$name" "$line"; failures=$((failures + 1)); break; }
        replies=$((replies + 1))
        if [[ $print ]]; then
            printf '%s\n' "${words[2]}"
        elif [[ ${words[1]} ]]; then
            printf '%s:%s: %s\n' "$name" "$line" "${words[1]}"
            failures=$((failures + 1))
        fi
    done
    exec {hearing}<&- {speaking}>&-
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
        printf 'no story has called %s through its table\n' "$method"
        failures=$((failures + 1))
    done
    printf '%s replies, %s not as expected\n' "$replies" "$failures"
    ((failures == 0 && replies > 0))
}
if [[ $print ]]; then all | jq -cS .; else all; fi
