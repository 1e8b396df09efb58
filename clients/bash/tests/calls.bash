# Requests, results and errors.
# shellcheck shell=bash

test_every_transcript_gets_the_expected_replies() {
    "$tests/replay.bash"
}

test_strings_are_sent_unchanged() {
    local text controls='' character code hex
    open_in_memory
    register
    for code in {1..127}; do
        printf -v hex '\\x%02x' "$code"
        printf -v character %b "$hex"
        # The service accepts no control characters in a name.
        if ((code < 32 || code == 127)); then controls+=$character; else text+=$character; fi
    done
    text+=$'\u20ac\U1f600 \\" \\\\n & $(x) `x` * ? [a] {b}'
    local -A client
    postern -A client operators.client.create "${session[@]}" client.user.first_name="a${text}b" \
        client.user.last_name='=' client.user.email=mary@example.com client.address=' x '
    is "${client[user.first_name]}" "a${text}b"
    is "${client[user.last_name]}" '='
    fails 1 postern operators.signin email=lasoren@bu.edu password=$'\xff'
    is "$POSTERN_ERROR_CODE" -32700
    # jq decodes the quoted string to the same text.
    local _postern_json
    text+=$controls$'\u2028.'
    _postern_quote "$text"
    is "$(jq -r . <<<"$_postern_json")" "$text"
}

test_wrong_arguments_are_usage_errors() {
    local answer
    open_in_memory
    register
    refuses() {
        answer=$(fails 64 "${@:2}" 2>&1)
        has "$answer" "$1"
        [[ $answer != *secret* ]]
    }
    refuses "no method 'operators.clients'" postern operators.clients
    refuses "no method ''" postern
    refuses "no param 'emial'; there are: email password" postern operators.signin emial=a password=secret
    refuses "no param 'x'; there are none" postern system.info x=secret
    refuses 'word 2 behind the method' postern operators.signin email=a secret
    refuses 'email is given twice' postern operators.signin email=a email:=null
    refuses 'takes an integer' postern operators.clients.get user_id=secret
    refuses 'takes an integer' postern operators.clients.get user_id=
    refuses 'takes an integer' postern operators.clients.get user_id=-
    refuses 'takes an integer' postern operators.clients.get user_id=007
    refuses 'takes an integer' postern operators.clients.get user_id=1.5
    refuses 'client takes JSON' postern operators.client.create client=secret
    refuses 'client:= takes JSON' postern operators.client.create 'client:={"a":1},"b":{}'
    refuses 'client:= takes JSON' postern operators.client.create 'client:={} {}'
    refuses 'client:= takes JSON' postern operators.client.create client:=
    refuses 'client is given twice, whole' postern operators.client.create 'client:={}' client.address=x
    refuses 'client.user is given twice, whole' postern operators.client.create 'client.user:={}' client.user.email=x
    refuses 'cannot be a variable' postern -v 'a[1]' system.info
    refuses 'cannot be a variable' postern -v _postern_result system.info
    refuses 'no associative array' postern -A answer system.info
    refuses 'postern [-q]' postern -x system.info
    refuses 'takes a method' postern_call
    refuses 'POSTERN_TIMEOUT is no number' eval 'POSTERN_TIMEOUT=soon postern system.info'
    refuses 'a client is open' postern_open
    # None of these calls was sent: the id of the last request is still that of `register`.
    read -r _ answer <"$POSTERN_CLIENT/call"
    is "${answer// /}" 1
}

test_arguments_can_be_in_any_order() {
    local client
    open_in_memory
    register
    postern -v client operators.client.create client.user.last_name=Major client.address=Here "${session[1]}" \
        client.user:='{"first_name":"Mary",
            "last_name":"Major","email":"mary@example.com"}' "${session[0]}" 2>/dev/null && return 1
    postern -v client operators.client.create client.user.last_name=Major client.address=Here "${session[1]}" \
        client.user.email:='"mary@example.com"' "${session[0]}" client.user.first_name=Mary
    is "$(jq -c '[.user.first_name, .user.last_name, .user.email, .address]' <<<"$client")" \
        '["Mary","Major","mary@example.com","Here"]'
    postern -v client operators.client.update client:='{"address":
        "There"}' client_id=1 "${session[@]}"
    is "$(jq -r .address <<<"$client")" There
}

test_a_result_is_printed_or_assigned_to_a_variable_or_an_array() {
    local text
    local -A array=([stale]=1)
    open_in_memory
    register
    is "$(postern system.info | jq -r .name)" postern
    is "$(postern operators.resend_confirmation email=a@b.cd)" ''
    is "$(postern_call operators.resend_confirmation '{"email":"a@b.cd"}')" null
    postern -v text operators.resend_confirmation email=a@b.cd
    is "$text" null
    postern -A array operators.resend_confirmation email=a@b.cd
    is "${#array[@]}" 0
    postern operators.client.create "${session[@]}" client.user.first_name=Mary client.user.last_name=Major \
        client.user.email=mary@example.com client.address=Here >/dev/null
    postern -A array operators.clients.get "${session[@]}" provision=0
    is "${array[clients]} ${array[clients.0.user.email]} ${array[provision]}" '1 mary@example.com 2'
    [[ ! -v array[clients.0.deleted] ]]
    postern -A made operators.clients.get "${session[@]}" provision=2
    # shellcheck disable=SC2154 # the call above declares it
    is "${made[clients]} ${made[provision]}" '0 2'
}

test_an_error_sets_the_variables_and_is_printed_on_stderr() {
    local said
    open_in_memory
    register
    said=$(fails 1 postern operators.signin email=lasoren@bu.edu password=wrong 2>&1)
    is "$said" 'postern: operators.signin: Password is incorrect for this account. (wrong_password)'
    said=$(fails 1 postern -q operators.signin email=lasoren@bu.edu password=wrong 2>&1)
    is "$said" ''
    fails 1 postern operators.register password=x user.first_name=A user.last_name=B user.email=nobody
    is "$POSTERN_ERROR $POSTERN_ERROR_CODE $POSTERN_ERROR_MESSAGE" 'CallError -3 Email field invalid.'
    is "$POSTERN_ERROR_SLUG ${POSTERN_ERRORS[*]} $POSTERN_ERROR_FIELD" 'field_invalid field_invalid user.email'
    is "$POSTERN_ERROR_DATA" '{"errors":["field_invalid"],"field":"user.email"}'
    fails 1 postern_call system.nothing
    is "$POSTERN_ERROR $POSTERN_ERROR_CODE $POSTERN_ERROR_MESSAGE" 'CallError -32601 Method not found'
    is "$POSTERN_ERROR_SLUG$POSTERN_ERROR_FIELD$POSTERN_ERROR_DATA${#POSTERN_ERRORS[@]}" 0
    fails 1 postern_call system.info '{"a":'
    is "$POSTERN_ERROR_CODE" -32700
    postern system.info >/dev/null
    is "$POSTERN_ERROR$POSTERN_ERROR_MESSAGE$POSTERN_ERROR_CODE" ''
}

test_an_error_with_an_unknown_slug_is_a_call_error() {
    fake <<'END'
        while read -r _; do
            printf '{"jsonrpc":"2.0","id":%s,"error":{"code":7,"message":"New.",' "$((++id))"
            echo '"data":{"errors":["newer_than_this"],"retry_after":3}}}'
        done
END
    local -A operator
    postern_open --no-wait
    fails 1 postern -A operator operators.signin email=lasoren@bu.edu password=x
    is "$POSTERN_ERROR $POSTERN_ERROR_CODE $POSTERN_ERROR_SLUG" 'CallError 7 newer_than_this'
    is "$POSTERN_ERROR_MESSAGE ${POSTERN_ERRORS[*]} $POSTERN_ERROR_RETRY_AFTER" 'New. newer_than_this 3'
}

test_a_reply_in_another_format_is_read() {
    fake <<'END'
        read -r _
        echo '{ "id": 1, "result": {"name": "x"}, "jsonrpc": "2.0" }'
        read -r _
        printf %s '{"jsonrpc":"2.0","error":{"message":"a \"b\"\nc","code":5,"new":1,'
        echo '"data":{"retry_after":7,"errors":["x","y z"]}},"id":2}'
        read -r _
        echo '{"jsonrpc":"2.0","id":99,"result":1}'
        echo
        echo '{"jsonrpc":"2.0","result":3,"new":1,"id":3}'
        read -r _
        echo '{"jsonrpc":"2.0","id":4,"error":{"message":1}}'
        cat
END
    local text
    postern_open --no-wait
    postern_call -v text x
    is "$text" '{"name":"x"}'
    fails 1 postern_call x
    is "$POSTERN_ERROR_CODE $POSTERN_ERROR_MESSAGE" $'5 a "b"\nc'
    is "$POSTERN_ERROR_RETRY_AFTER ${#POSTERN_ERRORS[@]} ${POSTERN_ERRORS[1]}" '7 2 y z'
    postern_call -v text x
    is "$text" 3
    fails 76 postern_call x
}

test_a_result_that_does_not_match_the_contract_is_a_protocol_error() {
    fake <<'END'
        flags='"contract":"1.0.0","apis":[],"admin":false,"events":false,"deterministic":true'
        for result in '{"id":"1"}' \
            '{"name":"postern","version":"1","methods":["a",2],"store":{"kind":"memory"}}' \
            '{"name":"postern","version":"1","methods":["a"],"store":{},"new":1}' \
            '{"name":"postern","version":"1","methods":["a"],"store":{"kind":"x"},'"$flags"',"new":[1]}' '{bad'
        do
            read -r _
            echo "{\"jsonrpc\":\"2.0\",\"id\":$((++id)),\"result\":$result}"
        done
        cat
END
    local said
    local -A array
    postern_open --no-wait
    said=$(fails 76 postern -A array system.info 2>&1)
    is "$said" 'postern: system.info: name is missing'
    said=$(fails 76 postern -A array system.info 2>&1)
    is "$said" 'postern: system.info: methods.1 is not string'
    fails 76 postern -A array system.info
    is "$POSTERN_ERROR $POSTERN_ERROR_MESSAGE" 'ProtocolError store.kind is missing'
    postern -A array system.info
    is "${array[methods]} ${array[methods.0]} ${array[store.kind]}" '1 a x'
    fails 76 postern -A array system.info
}

test_metadata_is_json_text() {
    local given='{"":[null,true,{"é":12345678901234567890}],"a.b":{"c":"\n"},"half":0.50}' text
    local -A shown=()
    open_in_memory
    register
    postern -v text operators.set_metadata "${session[@]}" "metadata:=$given"
    is "$text" "{\"metadata\":$given,\"app_metadata\":{}}"
    postern -v text operators.set_metadata "${session[@]}" 'metadata:={"a":[1,{}],"n":null}'
    postern -A shown operators.metadata "${session[@]}"
    is "${#shown[@]} ${shown[metadata]} ${shown[app_metadata]}" '2 {"a":[1,{}],"n":null} {}'
    fails 64 postern -q operators.set_metadata "${session[@]}" metadata='{}'
    is "$POSTERN_ERROR_MESSAGE" 'metadata takes JSON, as in metadata:=JSON'
    fails 64 postern -q operators.set_metadata "${session[@]}" metadata.a=1
    fails 1 postern -q operators.set_metadata "${session[@]}" 'metadata:=[]'
    is "$POSTERN_ERROR_SLUG $POSTERN_ERROR_FIELD" 'field_invalid metadata'
}

test_a_request_has_at_most_8_MiB() {
    local text frame='{"jsonrpc":"2.0","id":1,"method":"x","params":[""]}'
    open_in_memory
    printf -v text '%*s' $((8388608 - ${#frame})) ''
    fails 1 postern_call x "[\"$text\"]"
    is "$POSTERN_ERROR_CODE" -32601
    fails 65 postern_call x "[\"$text \"]"
    is "$POSTERN_ERROR" MessageTooLong
    # The limit counts bytes, not characters.
    text=$(head -c $((8388608 / 2)) /dev/zero | sed 's/\x0/é/g')
    fails 65 postern_call x "[\"$text\"]"
    postern system.info >/dev/null
}

test_help_describes_methods_and_errors() {
    is "$(postern_help | wc -l)" "${#_POSTERN_PARAMS[@]}"
    has "$(postern_help operators.signin)" 'email: string. required. The email address'
    has "$(postern_help wrong_password)" 'wrong_password: operators: The password is wrong.'
    fails 64 postern_help nothing
}

test_scripts_with_errexit_nounset_and_pipefail() {
    cat >"$scratch/script" <<END
        set -euo pipefail
        source '$tests/../postern.bash'
        postern_open --data :memory:
        if postern -q operators.signin email=a@b.cd password=x; then echo wrong; else echo "if \$?"; fi
        postern -q operators.signin email=a@b.cd password=x || echo "or \$?"
        f() { postern -q operators.signin email=a@b.cd password=x; echo wrong; }
        ( f ) || echo "wrong as well, as bash has it"
        text=\$(postern system.info)
        POSTERN_TIMEOUT=30 postern -v text system.info
        postern_call -q system.nothing || echo "nothing \$?"
        while read -r line; do echo "\${line:0:9}"; done < <(postern system.info)
        echo "\$-" | grep -q e
        postern operators.signin email=a@b.cd password=x
        echo wrong
END
    local status=0
    bash "$scratch/script" >"$scratch/said" 2>"$scratch/errors" || status=$?
    is "$status" 1
    is "$(<"$scratch/said")" 'if 1
or 1
wrong
nothing 1
{"name":"'
    has "$(<"$scratch/errors")" 'postern: operators.signin: No account for this email'
}

test_the_readme_and_the_example_print_the_expected_lines() {
    local expected='registered Luke Sorenson
wrong_password: Password is incorrect for this account.
signed in as operator 1
created Mary Major
1 client, next provision 2'
    is "$("$tests/../example.bash" "$scratch/example")" "$expected"
    [[ -s $scratch/example/journal-1.jsonl ]]
    awk '/^```bash/ { on = 1; next } /^```/ { on = 0 } on' "$tests/../README.md" >"$scratch/readme"
    mkdir "$scratch/clients"
    ln -s "$tests/.." "$scratch/clients/bash"
    is "$(cd "$scratch" && bash -eu readme)" "$expected
Try another one.
4 clients
event 1: registered
event 2: sign_in_failed
event 3: signed_in
event 4: client_changed
event 5: sign_in_failed
event 6: client_changed
event 7: client_changed
event 8: client_changed"
}
