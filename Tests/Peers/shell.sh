#!/usr/bin/env bash
# The shell runs Postern with pipes, here-documents, files and named pipes.
set -u

read -ra flags <../../schema/cases/flags.txt
request='{"jsonrpc":"2.0","id":1,"method":"system.outbox"}'
reply='{"jsonrpc":"2.0","id":1,"result":{"messages":[]}}'
newline=$'\n'
count=0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

postern() {
    timeout --kill-after 1 20 "$POSTERN_BIN" "${flags[@]}"
}

# check NAME EXPECTED ACTUAL: prints whether the last two are equal.
check() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        printf 'not ok %s - %s # got %q instead of %q\n' "$count" "$1" "$3" "$2"
    fi
}

# The whole output and the exit code.
output_of() {
    "$@"
    printf 'exit code %s' "$?"
}

check "a line from printf" "$reply${newline}exit code 0" "$(printf '%s\n' "$request" | output_of postern)"

check "a here-document" "$reply$newline${reply/1,/\"é\",}${newline}exit code 0" "$(
    output_of postern <<END
$request
{"jsonrpc":"2.0","method":"system.outbox"}
{"jsonrpc":"2.0","id":"é","method":"system.outbox"}
END
)"

check "no input at all" "exit code 0" "$(output_of postern < /dev/null)"

check "a last line without a line feed" "$reply$newline${reply}${newline}exit code 0" \
    "$(printf '%s\n%s' "$request" "$request" | output_of postern)"

check "CRLF, blank lines and a byte order mark" "$reply$newline${reply}${newline}exit code 0" \
    "$(printf '\xef\xbb\xbf\r\n\n%s\r\n\r\n  \n%s\r\n\n' "$request" "$request" | output_of postern)"

check "a writer that writes one byte at a time" "$reply$newline${reply}${newline}exit code 0" "$(
    printf '%s\n%s\n' "$request" "$request" |
        while IFS= read -r -d '' -n 1 byte; do printf '%s' "$byte"; done | output_of postern
)"

for _ in {1..1000}; do printf '%s\n' "$request"; done > "$scratch/requests"
for _ in {1..1000}; do printf '%s\n' "$reply"; done > "$scratch/expected"
output_of postern < "$scratch/requests" > "$scratch/replies"
printf 'exit code 0' >> "$scratch/expected"
check "a thousand lines from a file to a file" "" "$(cmp "$scratch/expected" "$scratch/replies" 2>&1)"

check "headers, byte by byte" "Content-Length: ${#reply}"$'\r\n\r\n'"${reply}Content-Length: ${#reply}"$'\r\n\r\n'"${reply}exit code 0" \
    "$(printf 'Content-Length: %d\r\n\r\n%s' "${#request}" "$request" "${#request}" "$request" | output_of postern)"

check "a reader that reads one line" "$reply${newline}0 0" "$(
    postern < "$scratch/requests" | head -n 1
    echo "${PIPESTATUS[@]}"
)"

check "a reader that reads one line of an endless writer" "$reply${newline}0 0" "$(
    yes "$request" 2> /dev/null | postern | head -n 1
    echo "${PIPESTATUS[@]:1}"
)"

# A pair of named pipes: each reply is read before the next request is sent.
mkfifo "$scratch/in" "$scratch/out"
postern < "$scratch/in" > "$scratch/out" &
exec 3> "$scratch/in" 4< "$scratch/out"
replies=
for id in 1 2 3; do
    printf '%s\n' "${request/1,/$id,}" >&3
    IFS= read -r -t 20 line <&4
    replies+="$line$newline"
done
exec 3>&-
wait "$!"
check "a pair of named pipes, in turns" "$reply$newline${reply/1,/2,}$newline${reply/1,/3,}${newline}exit code 0" \
    "${replies}exit code $?"
exec 4<&-

# The examples of the specification. Where a result is due, they use methods of this service.
# example NAME INPUT EXPECTED
example() {
    check "the specification: $1" "$3" "$(printf '%s\n' "$2" | postern)"
}

# parse_error OFFSET REASON
parse_error() {
    printf '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error at byte %s: %s"}}' "$1" "$2"
}
# invalid REASON
invalid() {
    printf '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request: %s"}}' "$1"
}
no_object="$(invalid "a message is an object, or an array of objects")"
no_role='"error":{"code":400,"message":"Role is missing or not valid. There is no property subtrahend.",'
no_role+='"data":{"errors":["invalid_request"],"field":"role"}}}'

example "rpc call with positional parameters" \
    '{"jsonrpc": "2.0", "method": "system.invite", "params": [42, 23], "id": 1}' \
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params: system.invite takes an object with role, uses"}}'
example "rpc call with named parameters" \
    '{"jsonrpc": "2.0", "method": "system.invite", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}' \
    '{"jsonrpc":"2.0","id":3,'"$no_role"
example "a notification" '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}' ''
example "a notification without params" '{"jsonrpc": "2.0", "method": "foobar"}' ''
example "rpc call of non-existent method" '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}' \
    '{"jsonrpc":"2.0","id":"1","error":{"code":-32601,"message":"Method not found"}}'
example "rpc call with invalid JSON" '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]' \
    "$(parse_error 39 "expected a comma or }")"
example "rpc call with invalid Request object" '{"jsonrpc": "2.0", "method": 1, "params": "bar"}' \
    "$(invalid "method must be a string that is not empty")"
example "rpc call Batch, invalid JSON" \
    '[ {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method" ]' \
    "$(parse_error 97 "expected a colon")"
example "rpc call with an empty Array" '[]' "$(invalid "a batch has at least one message")"
example "rpc call with an invalid Batch (but not empty)" '[1]' "[$no_object]"
example "rpc call with invalid Batch" '[1,2,3]' "[$no_object,$no_object,$no_object]"
batch='[{"jsonrpc": "2.0", "method": "system.outbox", "params": {}, "id": "1"},'
batch+=' {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},'
batch+=' {"jsonrpc": "2.0", "method": "system.invite", "params": [42,23], "id": "2"},'
batch+=' {"foo": "boo"},'
batch+=' {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},'
batch+=' {"jsonrpc": "2.0", "method": "system.outbox", "id": "9"}]'
replies="[${reply/1,/\"1\",},"
replies+='{"jsonrpc":"2.0","id":"2","error":{"code":-32602,"message":"Invalid params: system.invite takes an object with role, uses"}},'
replies+="$(invalid 'jsonrpc must be \"2.0\"'),"
replies+='{"jsonrpc":"2.0","id":"5","error":{"code":-32601,"message":"Method not found"}},'
replies+="${reply/1,/\"9\",}]"
example "rpc call Batch" "$batch" "$replies"
example "rpc call Batch (all notifications)" \
    '[ {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]}, {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]} ]' \
    ''

echo "1..$count"
