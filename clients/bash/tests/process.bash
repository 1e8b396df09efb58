# How the process starts and ends, and how several shells share it.
# shellcheck shell=bash

# Whether a call whose id is greater than $1 is in flight.
under_way() { local unfinished id; read -r unfinished id <"$POSTERN_CLIENT/call" && ((unfinished && id > $1)); }

test_fifty_shells_make_ten_thousand_calls() {
    local task text
    local -a tasks
    open_in_memory
    register
    add_clients() {
        local number text name
        for number in {1..200}; do
            name=$1-$number
            postern -v text operators.client.create "${session[@]}" client.user.first_name=A client.user.last_name=B \
                client.user.email="$name@example.com" client.address="house $name"
            [[ $text == *"\"email\":\"$name@example.com\"}"*"\"address\":\"house $name\""* ]]
        done
    }
    for task in {1..50}; do
        add_clients "$task" &
        tasks+=("$!")
    done
    for task in "${tasks[@]}"; do wait "$task"; done
    postern -v text operators.clients.get "${session[@]}" provision=0
    ((${#text} > 1 << 20))
    is "$(jq '[(.clients | length), ([.clients[].user.email] | unique | length), ([.clients[].id] | unique | length)]
        | tostring' -r <<<"$text")" '[10000,10000,10000]'
    read -r _ task <"$POSTERN_CLIENT/call"
    is "${task// /}" 10002
}

test_a_long_reply_is_read() {
    local text
    open_in_memory
    postern -v text rpc.discover
    ((${#text} > 50000))
    is "$(jq -r .info.title <<<"$text" | head -c 7)" Postern
}

test_all_calls_fail_when_the_process_is_killed() {
    local process task
    local -a tasks
    open_in_memory --log-level info 2>"$scratch/stderr"
    postern system.info >/dev/null
    process=$(process)
    kill -STOP "$process"
    for task in {1..5}; do
        { fails 69 postern system.info 2>"$scratch/$task" && : >"$scratch/$task.done"; } &
        tasks+=("$!")
    done
    becomes 5 under_way 1
    kill -KILL "$process"
    for task in "${tasks[@]}"; do wait "$task"; done
    for task in {1..5}; do
        has "$(<"$scratch/$task")" 'the process was ended by SIGKILL (signal 9); whether the calls in flight took'
        has "$(<"$scratch/$task")" "$(tail -n 1 "$scratch/stderr")"
    done
    [[ -s $scratch/stderr ]]
    fails 69 postern system.info
    is "$POSTERN_ERROR" ProcessEnded
    ! process
}

test_the_error_has_the_last_lines_of_stderr() {
    fake <<'END'
        for i in {1..30}; do echo "line $i" >&2; done
        read -r _
        printf '{"jsonrpc":"2.0","id":1'
        exit 3
END
    postern_open --no-wait 2>"$scratch/stderr"
    fails 69 postern system.info
    has "$POSTERN_ERROR_MESSAGE" \
        'the process exited with code 3; whether the calls in flight took effect is not known. Its last lines'
    is "$(tail -n +2 <<<"$POSTERN_ERROR_MESSAGE")" "$(printf '    line %s\n' {11..30})"
    is "$(<"$scratch/stderr")" "$(printf 'line %s\n' {1..30})"
    fails 69 postern system.info
}

test_a_long_line_on_stderr_does_not_block_the_process() {
    fake <<'END'
        read -r _
        head -c 1000000 /dev/zero | tr '\0' x >&2
        echo >&2
        echo '{"jsonrpc":"2.0","id":1,"result":1}'
        cat
END
    local text
    postern_open --no-wait 2>"$scratch/stderr"
    postern_call -v text x
    is "$text" 1
    postern_close
    is "$(wc -c <"$scratch/stderr")" 1000001
}

test_an_endless_line_on_stderr_is_kept_in_pieces() {
    fake <<'END'
        head -c 200000000 /dev/zero | tr '\0' x >&2
        read -r _
        echo '{"jsonrpc":"2.0","id":1,"result":1}'
        read -r _
        exit 3
END
    local helper most text
    postern_open --no-wait 2>/dev/null
    postern_call -v text x
    for helper in $(pgrep -P "$(<"$POSTERN_CLIENT/supervisor")"); do
        most=$(awk '/^VmHWM/ { print $2 }' "/proc/$helper/status")
        # In kilobytes.
        ((most < 30000))
    done
    fails 69 postern_call x
    ((${#POSTERN_ERROR_MESSAGE} < 2000000))
    has "$POSTERN_ERROR_MESSAGE" xxxxxxxx
}

test_calls_work_if_the_reader_of_stderr_has_ended() {
    fake <<'END'
        read -r _
        for i in {1..9999}; do echo "line $i" >&2; done
        echo '{"jsonrpc":"2.0","id":1,"result":1}'
        cat
END
    local text
    postern_open --no-wait 2> >(:)
    postern_call -v text x
    is "$text" 1
}

test_no_process_outlives_a_killed_shell() {
    cat >"$scratch/host" <<END
        source '$tests/../postern.bash'
        postern_open --data :memory:
        postern system.info >/dev/null
        sleep 300 &
        pgrep -s "\$(<"\$POSTERN_CLIENT/supervisor")" >'$scratch/processes'
        echo "\$!" >>'$scratch/processes'
        echo "\$POSTERN_CLIENT" >'$scratch/client'
        wait
END
    local host processes process
    bash "$scratch/host" &
    host=$!
    becomes 5 test -s "$scratch/client"
    # Supervisor, program, tee, fold and tail are in one session, without the host. The sixth is the host's child
    # `sleep`.
    mapfile -t processes <"$scratch/processes"
    is "${#processes[@]}" 6
    kill -KILL "$host"
    wait "$host" || :
    kill -0 "${processes[5]}"
    for process in "${processes[@]:0:5}"; do becomes 5 ended "$process"; done
    becomes 5 absent "$(<"$scratch/client")"
    kill "${processes[5]}"
}

test_a_script_that_ends_without_closing_leaves_no_process_and_no_files() {
    local client supervisor
    client=$(bash -c "source '$tests/../postern.bash'; postern_open --data :memory:; postern -q x || :
        echo \"\$POSTERN_CLIENT \$(<\"\$POSTERN_CLIENT/supervisor\")\"; exit 7") || is "$?" 7
    read -r client supervisor <<<"$client"
    becomes 5 absent "$client"
    becomes 5 ended "$supervisor"
}

test_closing_waits_for_the_call_in_flight() {
    local task
    local -a tasks
    open_in_memory
    register
    for task in {1..4}; do
        { postern operators.signin email=lasoren@bu.edu password='a long password' || echo "$?"; } \
            >"$scratch/$task" 2>/dev/null &
        tasks+=("$!")
    done
    becomes 5 under_way 1
    local client=$POSTERN_CLIENT
    postern_close
    [[ ! -e $client ]]
    for task in "${tasks[@]}"; do wait "$task"; done
    # At least one call got its reply; each of the others got one too, or failed with ClientClosed (70).
    has "$(cat "$scratch"/[1-4])" session_id
    is "$(cat "$scratch"/[1-4] | grep -cv -e session_id -e '^70$')" 0 || [[ $? == 1 ]]
    postern_close
    fails 70 postern system.info
    is "$POSTERN_ERROR" ClientClosed
}

test_a_process_that_does_not_end_gets_a_signal() {
    fake <<END
        trap 'echo asked >&2; exit 0' TERM
        while :; do read -rt 0.1 <>'$scratch/pause'; done
END
    local start=$SECONDS
    POSTERN_CLOSE_TIMEOUT=1 postern_open --no-wait 2>"$scratch/stderr"
    postern_close
    is "$(<"$scratch/stderr")" 'postern: the process did not end within 1 seconds; it gets SIGTERM
asked'
    ((SECONDS - start < 5))
}

test_a_missing_binary_or_an_unknown_flag_is_an_error() {
    local said
    said=$(fails 72 postern_open --binary no-such-program 2>&1)
    has "$said" "no program no-such-program in any of ${PATH%%:*}"
    said=$(POSTERN_BIN=/no/such/program fails 72 postern_open 2>&1)
    has "$said" 'no program /no/such/program'
    fails 72 postern_open --binary /no/such/program
    is "$POSTERN_ERROR" BinaryNotFound
    is "$POSTERN_CLIENT" ''
    fails 70 postern system.info
    postern_open --no-wait --no-such-flag
    fails 69 postern system.info
    has "$POSTERN_ERROR_MESSAGE" 'exited with code 64'
}

test_the_status_of_a_process_that_ends_at_once_is_reported() {
    local task
    local -a tasks
    fake <<<'exit 3'
    ends_with_3() {
        postern_open --no-wait
        fails 69 postern system.info 2>"$scratch/$1"
        has "$POSTERN_ERROR_MESSAGE" 'exited with code 3;'
    }
    # At the same time, so that some processes end before their supervisors wait for them.
    for task in {1..40}; do
        ends_with_3 "$task" &
        tasks+=("$!")
    done
    for task in "${tasks[@]}"; do wait "$task"; done
}

test_opening_fails_if_the_program_cannot_serve() {
    local said
    said=$(fails 69 postern_open --data :memory: --no-such-flag 2>&1)
    has "$said" 'unknown flag --no-such-flag'
    : >"$scratch/data"
    fails 69 postern_open --data "$scratch/data"
    is "$POSTERN_ERROR" ProcessEnded
    has "$POSTERN_ERROR_MESSAGE" "$scratch/data"
    fails 70 postern system.info
    open_in_memory
    postern system.info >/dev/null
}

test_a_damaged_store_fails_at_opening() {
    postern_open --data "$scratch/store"
    postern_close
    echo 'no manifest' >"$scratch/store/manifest.json"
    fails 69 postern_open --data "$scratch/store"
    has "$POSTERN_ERROR_MESSAGE" manifest.json
    [[ ! -e $POSTERN_CLIENT ]]
}

test_a_locked_store_fails_at_opening() {
    local holder
    postern_open --data "$scratch/store"
    postern_close
    # It holds the lock and is stopped.
    # shellcheck disable=SC2016 # the started shell expands it
    flock --no-fork "$scratch/store/lock" sh -c 'echo held >"$0"; kill -STOP $$' "$scratch/held" &
    holder=$!
    becomes 5 test -s "$scratch/held"
    fails 69 postern_open --data "$scratch/store" --lock-wait 1
    has "$POSTERN_ERROR_MESSAGE" 'is in use by process'
    kill -KILL "$holder"
    wait "$holder" || :
    postern_open --data "$scratch/store"
}

test_opening_without_enough_descriptors_fails_at_once() {
    local most status outcomes='' start
    export TMPDIR=$scratch/tmp
    mkdir "$TMPDIR"
    for most in {8..24} 64; do
        status=0 start=$SECONDS
        (
            ulimit -n "$most"
            postern_open --data :memory: || exit
            postern_close
        ) 2>/dev/null || status=$?
        outcomes+="[$status]"
        ((SECONDS - start < 10))
        becomes 5 empty "$TMPDIR"
    done
    # The system refuses (71), or the program ends because it has no descriptors left (69), or opening succeeds (0).
    has "$outcomes" '[71]'
    has "$outcomes" '[0]'
    is "$(sed -E 's/\[(0|69|71)\]//g' <<<"$outcomes")" ''
    # The failed opening does not kill a job of the shell.
    sleep 60 &
    (ulimit -n 8; fails 71 postern_open --data :memory:) 2>/dev/null
    is "$(jobs -p)" "$!"
    kill "$!"
}
empty() { [[ ! $(ls "$1") ]]; }

test_arguments_that_are_too_long_for_the_system_fail_at_once() {
    local word start=$SECONDS
    printf -v word '%*s' 200000 ''
    fails 71 postern_open --data "$word"
    is "$POSTERN_ERROR" SystemError
    ((SECONDS - start < 5))
}

test_a_trace_does_not_show_the_session_of_a_result() {
    local said
    local -A operator
    open_in_memory
    register
    exec {BASH_XTRACEFD}>"$scratch/trace"
    set -x
    postern -v said operators.signin email=lasoren@bu.edu password='a long password'
    set +x
    exec {BASH_XTRACEFD}>&-
    unset BASH_XTRACEFD
    has "$said" '"session_id":"'
    said=${said##*'"session_id":"'}
    ! grep -qF "${said%%'"'*}" "$scratch/trace"
}

test_the_variables_of_the_client_keep_no_session() {
    local text secret
    open_in_memory
    register
    postern -v text operators.signin email=lasoren@bu.edu password='a long password'
    secret=${text##*'"session_id":"'}
    secret=${secret%%'"'*}
    ((${#secret} == 128))
    text=''
    # Not even after a failed call that had one as a param.
    fails 1 postern operators.client.delete user_id=1 session_id="$secret" client_id=9 2>/dev/null
    text=$(declare -p)
    text=${text//"$secret"/SESSION}
    # Only the test's variable has it.
    is "$(grep SESSION <<<"$text" | sed -E 's/^(declare [^ ]+ )?([a-z_A-Z]+).*/\2/' | sort -u)" secret
}

test_output_that_is_not_a_reply_closes_the_client() {
    local reply
    for reply in garbage '{"jsonrpc":"2.0","id":1}' '{"jsonrpc":"2.0","id":1,"result":' '[]' \
        '{"jsonrpc":"2.0","result":1,"error":{},"id":1}'; do
        fake <<<"read -r _; echo '$reply'; cat"
        postern_open --no-wait
        fails 76 postern system.info
        is "$POSTERN_ERROR" ProtocolError
        fails 70 postern system.info
        postern_close
        POSTERN_CLIENT=
    done
}

test_messages_of_the_process_are_dropped_or_refused() {
    fake <<'EOF'
mail='{"id":1,"to":"a@b.co","subject":"s","text":"t","kind":"k"}'
read -r request
printf '%s\n' '{"jsonrpc":"2.0","method":"event","params":{"seq":1}}' '{ "method": "event", "jsonrpc": "2.0" }' \
    '{"jsonrpc":"2.0","id":"postern:1","method":"mail.deliver","params":'"$mail"'}' \
    '{ "method": "coffee.make", "id": 2, "jsonrpc": "2.0" }'
read -r first
read -r second
printf '{"jsonrpc":"2.0","id":1,"result":[%s,%s]}\n' "$first" "$second"
while read -r request; do
    printf '{"jsonrpc":"2.0","id":2,"result":"next"}\n'
done
EOF
    postern_open --no-wait
    local answers next
    postern_call -v answers a
    local error='"error":{"code":-32601,"message":"Method not found"}'
    is "$answers" "[{\"jsonrpc\":\"2.0\",\"id\":\"postern:1\",$error},{\"jsonrpc\":\"2.0\",\"id\":2,$error}]"
    postern_call -v next b
    is "$next" '"next"'
}

test_mail_to_the_host_is_refused() {
    local flags
    for flags in '--mail host' --mail=host '--mail keep --mail host'; do
        # shellcheck disable=SC2086 # the words are flags
        fails 64 open_in_memory $flags
        is "$POSTERN_ERROR" UsageError
        has "$POSTERN_ERROR_MESSAGE" 'does not deliver mails'
    done
    POSTERN_MAIL=host fails 64 open_in_memory
    POSTERN_MAIL=host open_in_memory --mail keep
    register
}

test_the_reply_to_a_timed_out_call_is_dropped() {
    local process text
    open_in_memory
    register
    process=$(process)
    kill -STOP "$process"
    POSTERN_TIMEOUT=0.2 fails 75 postern operators.clients.get "${session[@]}" provision=0
    is "$POSTERN_ERROR" TimedOut
    POSTERN_TIMEOUT=.5 fails 64 postern system.info
    POSTERN_TIMEOUT=1 fails 75 postern rpc.discover
    kill -CONT "$process"
    POSTERN_TIMEOUT=10 postern -v text system.info
    has "$text" '{"name":"postern"'
    # A call that waits for its turn times out too.
    kill -STOP "$process"
    postern -q system.info >/dev/null &
    becomes 5 under_way 4
    POSTERN_TIMEOUT=0.2 fails 75 postern system.info
    has "$POSTERN_ERROR_MESSAGE" 'nothing was sent'
    kill -CONT "$process"
    wait "$!"
}

test_a_shell_that_is_killed_during_its_turn_does_not_block_others() {
    local process text killed
    open_in_memory
    register
    process=$(process)
    kill -STOP "$process"
    postern operators.clients.get "${session[@]}" provision=0 &
    killed=$!
    becomes 5 under_way 1
    # Half a request, as a killed shell leaves it when its request is too long for one write.
    printf '{"jsonrpc":"2.0","id":7,"method":' >"$POSTERN_CLIENT/input"
    kill -KILL "$killed"
    wait "$killed" || :
    kill -CONT "$process"
    for killed in {1..3}; do
        { postern -v text system.info && has "$text" '{"name":"postern"' && : >"$scratch/$killed"; } &
    done
    wait
    [[ -e $scratch/1 && -e $scratch/2 && -e $scratch/3 ]]
    postern -v text operators.clients.get "${session[@]}" provision=0
    is "$text" '{"clients":[],"provision":1}'
}

test_a_trap_during_a_call_cannot_call() {
    local text shell=$BASHPID calls=0 refused=0 end=$((SECONDS + 20))
    open_in_memory
    register
    trap 'calls=$((calls + 1)); postern system.info >/dev/null 2>&1 || refused=$((refused + 1))' USR1
    { until [[ -e $scratch/enough ]]; do kill -USR1 "$shell"; read -rt 0.002 <>"$scratch/pause" || :; done; } &
    until ((calls > 50 && refused > 2)); do
        postern -v text operators.clients.get "${session[@]}" provision=0
        is "$text" '{"clients":[],"provision":1}'
        ((SECONDS < end))
    done
    trap '' USR1
    : >"$scratch/enough"
    wait
}

test_a_trap_during_a_call_can_close() {
    cat >"$scratch/script" <<END
        source '$tests/../postern.bash'
        postern_open --data :memory:
        trap 'postern_close; exit 5' TERM
        postern system.info >/dev/null
        process=\$(pgrep -x -P "\$(<"\$POSTERN_CLIENT/supervisor")" '${POSTERN_BIN##*/}')
        kill -STOP \$process
        { sleep 0.3; kill -TERM \$\$; kill -CONT \$process; } &
        postern system.info >/dev/null
        echo wrong
END
    fails 5 bash "$scratch/script" >"$scratch/said"
    is "$(<"$scratch/said")" ''
}

test_an_exit_trap_can_call() {
    cat >"$scratch/script" <<END
        set -e
        source '$tests/../postern.bash'
        postern_open --data :memory:
        trap 'postern_call -q -v text system.info; echo "\${text:0:9}"; postern_close' EXIT
        f() { postern -q operators.signin email=a@b.cd password=x; }
        f
END
    fails 1 bash "$scratch/script" >"$scratch/said"
    is "$(<"$scratch/said")" '{"name":"'
}

test_the_call_after_an_interrupted_one_works() {
    cat >"$scratch/script" <<END
        source '$tests/../postern.bash'
        postern_open --data :memory:
        postern system.info >/dev/null
        process=\$(pgrep -x -P "\$(<"\$POSTERN_CLIENT/supervisor")" '${POSTERN_BIN##*/}')
        kill -STOP \$process
        { sleep 0.3; kill -INT \$\$; sleep 0.3; kill -CONT \$process; } & disown
        postern system.info
        postern_call system.nothing
        echo "\$POSTERN_ERROR_CODE"
        postern_close
END
    bash --norc --noprofile -i >"$scratch/said" 2>/dev/null <"$scratch/script"
    is "$(<"$scratch/said")" -32601
}

test_the_process_is_not_a_job_and_children_inherit_no_descriptor() {
    open_in_memory
    postern system.info >/dev/null
    wait
    is "$(jobs)" ''
    fails 1 grep -F postern <(readlink /proc/self/fd/*)
    # Ctrl-C reaches only processes in the terminal's session.
    [[ $(ps -o sid= -p "$(process)") != "$(ps -o sid= -p "$$")" ]]
}

test_a_shell_can_use_two_clients() {
    local first second text
    open_in_memory
    first=$POSTERN_CLIENT
    POSTERN_CLIENT=''
    open_in_memory
    second=$POSTERN_CLIENT
    register
    fails 1 postern_call operators.nothing
    POSTERN_CLIENT=$first fails 1 postern operators.clients.get "${session[@]}" provision=0
    POSTERN_CLIENT=$second postern -v text operators.clients.get "${session[@]}" provision=0
    is "$text" '{"clients":[],"provision":1}'
    POSTERN_CLIENT=$first postern_close
    [[ ! -e $first && -e $second ]]
}

# The supervisor once waited without end if SIGTERM came just after the process had ended.
test_a_close_while_the_process_ends_ends_the_supervisor() {
    local round supervisor
    fake <<'END'
        read -r _
        printf '{"jsonrpc":"2.0","id":1,"result":{}}\n'
END
    for round in {1..40}; do
        postern_open --no-wait 2>/dev/null
        supervisor=$(<"$POSTERN_CLIENT/supervisor")
        postern system.info >/dev/null 2>&1 || :
        read -rt "0.0$((RANDOM % 40 + 10))" <>"$scratch/pause" || :
        kill -TERM "$supervisor" 2>/dev/null || :
        becomes 10 ended "$supervisor" || { echo "round $round" >&2; kill -KILL "$supervisor"; return 1; }
        postern_close 2>/dev/null || :
    done
}
