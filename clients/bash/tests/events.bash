# Events of the audit trail.
# shellcheck shell=bash

open_with_events() {
    postern_open --data "$scratch/data" --no-email-confirmation --events "$@"
}

sign_in() {
    postern -v _ operators.signin email=lasoren@bu.edu password='a long password'
}

# take COUNT: sets taken to the numbers of the next events, and kinds to their kinds.
take() {
    local -A event
    taken='' kinds=''
    while ((${#taken} == 0 || $(wc -w <<<"$taken") < $1)); do
        postern_event -A event -t 20
        taken+=" ${event[seq]}" kinds+=" ${event[kind]}"
    done
}

# fill COUNT: creates a store with so many events.
fill() {
    local session
    postern_open --data "$scratch/data" --no-email-confirmation
    register
    postern_close
    seq 2 "$1" | jq -c --arg session "${session[1]#*=}" '{
        jsonrpc: "2.0", id: ., method: "operators.client.create", params: {
            user_id: 1, session_id: $session,
            client: {user: {first_name: "A", last_name: "B", email: "a\(.)@b.co"}, address: "x"}
        }
    }' | "$POSTERN_BIN" --data "$scratch/data" >"$scratch/replies"
    is "$(grep -c '"result"' "$scratch/replies")" "$(($1 - 1))"
}

test_events_of_this_and_of_other_processes_can_be_taken() {
    local taken kinds first
    local -A event
    open_with_events
    register
    sign_in
    "$POSTERN_BIN" call operators.signin '{"email":"lasoren@bu.edu","password":"a long password"}' \
        --data "$scratch/data" --no-email-confirmation >"$scratch/signin"
    # An event that comes during a call in a subshell is kept too.
    has "$(postern system.info)" '"events":true'
    postern_event -v first
    is "$(jq -c '[.seq, .api, .account, .kind, .by]' <<<"$first")" '[1,"operators",1,"registered","anonymous"]'
    postern_event -A event
    is "${event[seq]} ${event[kind]} ${event[detail.session]}" '2 signed_in 2'
    is "$(postern_event | jq .seq)" 3
    fails 75 postern_event -q -t 0.3
    is "$POSTERN_ERROR" TimedOut
    postern_close
    # The cursor of the first of them: none is missing, and none comes twice.
    open_with_events --events-after 1
    take 2
    is "$taken" ' 2 3'
    is "$kinds" ' signed_in signed_in'
    sign_in
    take 1
    is "$taken" ' 4'
    postern_close
    open_with_events --events-after 0
    take 4
    is "$taken" ' 1 2 3 4'
}

test_four_clients_get_the_events_of_all() {
    local number taken kinds clients=()
    for number in 1 2 3 4; do
        POSTERN_CLIENT=''
        open_with_events
        clients+=("$POSTERN_CLIENT")
    done
    for number in 1 2 3 4; do
        POSTERN_CLIENT=${clients[number - 1]}
        postern -v _ operators.register user.first_name=A user.last_name=B user.email="a$number@b.co" password=p
    done
    for POSTERN_CLIENT in "${clients[@]}"; do
        take 4
        is "$taken" ' 1 2 3 4'
        postern_close
    done
}

test_a_client_that_takes_no_events_gets_its_replies() {
    local number
    fill 1600
    open_with_events --events-after 0
    for number in {1..20}; do is "$(postern system.info | jq -r .name)" postern; done
    for ((number = 1; number <= 1600; number++)); do
        postern_event -v event -t 20
        [[ $event == "{\"seq\":$number,"* ]] || is "$event" "event $number"
    done
    sign_in
    postern_event -v event -t 20
    has "$event" '"kind":"signed_in"'
}

test_too_many_events_during_calls_are_dropped_and_reported() {
    local _POSTERN_EVENTS_PER_CALL_MAX=7 taken kinds
    fill 100
    open_with_events --events-after 0
    postern -v _ system.info
    _POSTERN_EVENTS_PER_CALL_MAX=0 postern -v _ system.info
    # shellcheck disable=SC2016 # it is evaluated later
    becomes 10 eval 'postern -v _ system.info && [[ -e $POSTERN_CLIENT/events-lost ]]'
    taken=0
    while postern_event -q -v event; do taken=$((taken + 1)); has "$event" "{\"seq\":$taken,"; done
    is "$POSTERN_ERROR" EventsLost
    ((taken < 100))
    # Calls work as before.
    is "$(postern system.info | jq -r .name)" postern
}

test_a_killed_call_may_have_taken_an_event() {
    open_with_events
    register
    postern_event -v event -t 20
    # shellcheck disable=SC2059 # the format is a constant
    printf "$_POSTERN_CALL" 1 7 1<>"$POSTERN_CLIENT/call"
    fails 74 postern_event -q -t 1
    is "$POSTERN_ERROR" EventsLost
    postern -v _ system.info
    fails 74 postern_event -q -t 1
}

test_the_end_of_the_process_ends_the_wait_for_an_event() {
    local child
    open_with_events 2>"$scratch/errors"
    (becomes 10 pgrep -P "$(<"$POSTERN_CLIENT/supervisor")" -x postern && pkill -KILL -P "$(<"$POSTERN_CLIENT/supervisor")" -x postern) >/dev/null &
    child=$!
    fails 69 postern_event -q -t 20
    is "$POSTERN_ERROR" ProcessEnded
    wait "$child"
}

test_events_need_a_client_that_was_opened_for_them() {
    open_in_memory
    fails 64 postern_event -q
    has "$POSTERN_ERROR_MESSAGE" 'open it with --events'
    postern_close
    fails 70 postern_event -q
    fails 69 open_with_events --events-after 7 2>"$scratch/errors"
    has "$(<"$scratch/errors")" 'the last event of this store has number 0'
}

test_a_service_with_an_older_contract_is_refused() {
    local info has
    for info in '{"contract":"0.9.12"}' '{}' '{"contract":"1.10.0"}'; do
        printf '%s\n' '#!/bin/sh' 'read -r request' \
            "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":$info}'" 'exec cat >/dev/null' >"$scratch/old"
        chmod +x "$scratch/old"
        case $info in
            *0.9*) has='version 0.9.12' ;;
            '{}') has='no version' ;;
            *) has='' ;;
        esac
        if [[ $has ]]; then
            fails 76 postern_open --binary "$scratch/old" 2>"$scratch/errors"
            has "$(<"$scratch/errors")" \
                "the contract of this Postern has $has; this client needs $_POSTERN_CONTRACT_VERSION or later"
        else
            postern_open --binary "$scratch/old"
        fi
    done
}
