# Sends one request at a time and reads its reply, over pipes that several shells share. The shell that has locked the
# file `lock` has the turn; the system releases the lock of a shell that is killed. The file `call` has 0 if the last
# call is finished and 1 if not, and the id of the last request: `0 17`, padded with spaces to 21 characters and a line
# feed.
# shellcheck shell=bash

# The format of `call`. Its length is constant, so that one write replaces the whole content.
_POSTERN_CALL='%d %-19d\n'

# _postern_exchange METHOD PARAMS: sends a request and sets _postern_result to the reply's result as JSON. PARAMS is
# JSON, or empty for none.
_postern_exchange() {
    local _postern_deadline _postern_id _postern_head _postern_reply='' _postern_json status=0
    _postern_quote "$1"
    _postern_set_deadline || return
    _postern_is_open || { _postern_fail_closed; return; }
    _postern_exchange_in_turn "$_postern_json" "$2" 9>>"$POSTERN_CLIENT/lock" || status=$?
    if ((status != 0)); then
        [[ $POSTERN_ERROR ]] && return "$status"
        # The pipes were removed before they were opened.
        _postern_fail_ended
        return
    fi
    if [[ ${_postern_reply:${#_postern_head}:9} == '"result":' ]]; then
        _postern_result=${_postern_reply:${#_postern_head}+9:-1}
    else
        _postern_read_error "${_postern_reply:${#_postern_head}+8:-1}"
    fi
}

# _postern_exchange_in_turn METHOD PARAMS: sends a request and sets _postern_reply. METHOD is a JSON string; descriptor
# 9 is `lock`. Bash closes it when the call ends for any reason, such as Ctrl-C, and that ends the turn.
_postern_exchange_in_turn() {
    local request status _postern_kept=0
    _postern_take_turn || return
    _postern_begin_call || return
    _postern_head="{\"jsonrpc\":\"2.0\",\"id\":$_postern_id,"
    request="$_postern_head\"method\":$1${2:+,\"params\":$2}}"
    if _postern_is_too_long "$request"; then
        _postern_fail 65 MessageTooLong "a request has at most $_POSTERN_MESSAGE_BYTES_MAX bytes, and this is longer"
    else
        _postern_send_and_read "$request"
    fi
    status=$?
    _postern_bound_events
    _postern_note_call 0
    return "$status"
}

# Waits for the lock at descriptor 9. Fails if the client is closed or the process has ended.
_postern_take_turn() {
    local seconds
    if ! _postern_seconds_left || ! flock -w "$seconds" 9; then
        _postern_fail 75 TimedOut "other calls had the turn for all $POSTERN_TIMEOUT seconds; nothing was sent"
    elif ! _postern_is_open; then
        _postern_fail_closed
    elif [[ -e $POSTERN_CLIENT/ended ]] || ! _postern_is_held; then
        _postern_fail_ended
    fi
}

# Sets _postern_id for the next request. If the last call was killed or interrupted, its request may be half written and
# its reply half read: this sends a `system.info` and drops all output up to the reply to it.
_postern_begin_call() {
    local unfinished line head
    { read -r unfinished _postern_id <"$POSTERN_CLIENT/call"; } 2>/dev/null || return
    ((_postern_id += 1))
    _postern_note_call 1
    ((unfinished)) || return 0
    # The killed call may have taken an event.
    _postern_lose_events
    head="{\"jsonrpc\":\"2.0\",\"id\":$_postern_id,"
    printf '\n%s"method":"system.info"}\n' "$head" >"$POSTERN_CLIENT/input"
    while IFS= read -r line && [[ $line != "$head"* && $line != ended ]]; do :; done <"$POSTERN_CLIENT/output"
    ((_postern_id += 1))
    _postern_note_call 1
}

# _postern_note_call UNFINISHED: writes to `call` whether the call with _postern_id is unfinished (1) or finished (0).
_postern_note_call() {
    # shellcheck disable=SC2059 # the format is a constant of this file
    { printf "$_POSTERN_CALL" "$1" "$_postern_id" 1<>"$POSTERN_CLIENT/call"; } 2>/dev/null
}

# Whether a request has more bytes than the service accepts. A character has at most four bytes.
_postern_is_too_long() {
    ((${#1} * 4 > _POSTERN_MESSAGE_BYTES_MAX)) || return 1
    local LC_ALL=C
    ((${#1} > _POSTERN_MESSAGE_BYTES_MAX))
}

# Sends a request and sets _postern_reply, which starts with _postern_head followed by "result": or "error":.
_postern_send_and_read() {
    local line first seconds status
    { printf '%s\n' "$1" >"$POSTERN_CLIENT/input"; } 2>/dev/null || return
    while :; do
        line='' first='' status=0
        if [[ $_postern_deadline ]]; then
            # After the first byte there is no timeout: the rest of the reply follows, and must be read from the pipe.
            _postern_seconds_left && IFS= read -rN 1 -t "$seconds" first
            status=$?
            # A timeout just after the byte was read fails too.
            [[ ! $first ]] || status=0
            if ((status > 128)); then
                _postern_fail 75 TimedOut "no reply within $POSTERN_TIMEOUT seconds; the call may still take effect"
                return
            fi
        fi
        if ((status == 0)) && [[ $first != $'\n' ]]; then
            IFS= read -r line
            status=$?
        fi
        if ((status != 0)); then
            _postern_fail_ended
            return
        fi
        line=$first$line
        _postern_sort "$line"
        case $? in
            0) break ;;
            1) ;;
            *)
                # If the process has ended: a truncated reply, or the `ended` line behind it.
                if [[ -e $POSTERN_CLIENT/ended ]]; then _postern_fail_ended; else _postern_break; fi
                return
                ;;
        esac
    done <"$POSTERN_CLIENT/output"
}

# _postern_sort LINE: returns 0 and sets _postern_reply if LINE is the reply to the current request; 1 if it is empty, the
# reply to an earlier call that timed out, or a message that the process sends on its own, of which events are kept; and
# 2 if it is none of these.
_postern_sort() {
    [[ $1 ]] || return 1
    if [[ ${1: -1} == '}' ]]; then
        if [[ $1 == "$_postern_head\"result\":"* || $1 == "$_postern_head\"error\":"* ]]; then
            _postern_reply=$1
            return 0
        fi
        # The service could not parse the request, so the reply has no id. Only one request is in flight: this one.
        if [[ $1 == '{"jsonrpc":"2.0","id":null,"error":'* ]]; then
            _postern_reply=$_postern_head${1:27}
            return 0
        fi
        [[ $1 =~ ^'{"jsonrpc":"2.0","id":'[0-9]+',"'(result|error)'":' ]] && return 1
        if [[ $1 == "$_POSTERN_EVENT_HEAD"* ]]; then
            _postern_keep_event "$1"
            return 1
        fi
        # A notification of a newer service.
        [[ $1 == '{"jsonrpc":"2.0","method":'* ]] && return 1
        if [[ $1 =~ ^'{"jsonrpc":"2.0","id":'(\"([^\"\\]|\\.)*\"|[^\",]+)',"method":' ]]; then
            _postern_refuse "${BASH_REMATCH[1]}"
            return 1
        fi
    fi
    local line
    line=$(jq -c -L "$_POSTERN_LIB" 'include "reply"; as_written' <<<"$1" 2>/dev/null)
    [[ $line && $line != "$1" ]] || return 2
    _postern_sort "$line"
}

# _postern_refuse ID: answers a request of the process, whose id is JSON, that there is no such method.
_postern_refuse() {
    printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}\n' "$1" \
        >"$POSTERN_CLIENT/input"
} 2>/dev/null

# Sets _postern_deadline, a Unix time in microseconds; empty for none.
_postern_set_deadline() {
    _postern_deadline=''
    [[ ${POSTERN_TIMEOUT-} ]] || return 0
    if [[ ! $POSTERN_TIMEOUT =~ ^([0-9]{1,9})(\.([0-9]{1,6}))?$ ]]; then
        _postern_fail 64 UsageError "POSTERN_TIMEOUT is no number of seconds: $POSTERN_TIMEOUT"
        return
    fi
    local fraction=${BASH_REMATCH[3]}000000
    _postern_deadline=$((${EPOCHREALTIME/[.,]/} + 10#${BASH_REMATCH[1]} * 1000000 + 10#${fraction:0:6}))
}

# Sets seconds to the time left until the deadline; returns 142, as a timed-out `read` does, if no time is left.
_postern_seconds_left() {
    local left
    seconds=1000000000
    [[ $_postern_deadline ]] || return 0
    left=$((_postern_deadline - ${EPOCHREALTIME/[.,]/}))
    ((left > 0)) || return 142
    printf -v seconds '%d.%06d' "$((left / 1000000))" "$((left % 1000000))"
}

# Whether the client is open.
_postern_is_open() {
    [[ -d $POSTERN_CLIENT && ! -e $POSTERN_CLIENT/closed ]]
}

# Whether the supervisor, which holds the pipes open, is running.
_postern_is_held() {
    local supervisor=''
    read -r supervisor <"$POSTERN_CLIENT/supervisor"
    kill -0 "$supervisor"
} 2>/dev/null

_postern_fail_closed() {
    _postern_fail 70 ClientClosed 'no client is open; postern_open opens one'
}

_postern_fail_ended() {
    local how='the supervisor of the process has ended' line lines=()
    _postern_is_open || how='the client was closed'
    if [[ -e $POSTERN_CLIENT/ended ]]; then
        mapfile -t lines <"$POSTERN_CLIENT/ended"
        how=${lines[0]}
        lines=("${lines[@]:1}")
    fi
    how+='; whether the calls in flight took effect is not known'
    if ((${#lines[@]})); then
        how+='. Its last lines on stderr:'
        for line in "${lines[@]}"; do how+=$'\n'"    $line"; done
    fi
    _postern_fail 69 ProcessEnded "$how"
}

# Closes the client: after an output that is not a reply, the rest of the output cannot be parsed.
_postern_break() {
    : >"$POSTERN_CLIENT/closed"
    local supervisor=''
    read -r supervisor <"$POSTERN_CLIENT/supervisor"
    kill -TERM "$supervisor" 2>/dev/null
    _postern_fail 76 ProtocolError 'the output is not a reply; the client is closed'
}

# Ends the process and waits until it has ended, which is when its output ends.
_postern_end() {
    local supervisor='' rest
    read -r supervisor <"$POSTERN_CLIENT/supervisor"
    if kill -TERM "$supervisor"; then
        while read -r rest; do :; done <"$POSTERN_CLIENT/output"
    else
        rm -rf "$POSTERN_CLIENT"
    fi
} 2>/dev/null
