# One request and its reply at a time, over pipes that many shells may have: whose turn it is has the byte that is in
# the pipe `turn`. The file `holder` has the process id of who had it last, and the id of the last request. A shell that
# is killed while it has the turn is found out by those who wait, and one of them takes over.
# shellcheck shell=bash

# The form of `holder`, always as long, so that it is written over in one piece.
_POSTERN_HOLDER='%-19d %-19d\n'

# _postern_exchange METHOD PARAMS: sends a request and gives _postern_result, the reply's result as JSON. PARAMS is
# JSON, or empty for none.
_postern_exchange() {
    local _postern_deadline _postern_id _postern_head _postern_reply _postern_json request status
    _postern_quote "$1"
    _postern_take_turn || return
    _postern_head="{\"jsonrpc\":\"2.0\",\"id\":$_postern_id,"
    request="$_postern_head\"method\":$_postern_json${2:+,\"params\":$2}}"
    if _postern_is_too_long "$request"; then
        _postern_pass_turn
        _postern_fail 65 MessageTooLong "a request has at most $_POSTERN_MESSAGE_BYTES_MAX bytes, and this is longer"
        return
    fi
    _postern_send_and_read "$request"
    status=$?
    _postern_pass_turn
    if ((status != 0)); then
        [[ $POSTERN_ERROR ]] && return "$status"
        # The pipes had gone before they were opened.
        _postern_fail_ended
        return
    fi
    if [[ ${_postern_reply:${#_postern_head}:9} == '"result":' ]]; then
        _postern_result=${_postern_reply:${#_postern_head}+9:-1}
    else
        _postern_read_error "${_postern_reply:${#_postern_head}+8:-1}"
    fi
}

# Whether a request is longer than the service reads, in bytes; no character has more than four of them.
_postern_is_too_long() {
    ((${#1} * 4 > _POSTERN_MESSAGE_BYTES_MAX)) || return 1
    local LC_ALL=C
    ((${#1} > _POSTERN_MESSAGE_BYTES_MAX))
}

# Sends a request and gives _postern_reply, which begins with _postern_head and goes on with "result": or "error":.
_postern_send_and_read() {
    local line first seconds status
    { printf '%s\n' "$1" >"$POSTERN_CLIENT/input"; } 2>/dev/null || return
    while :; do
        line='' first='' status=0
        if [[ $_postern_deadline ]]; then
            # Once a reply begins, the rest of it is on its way, and has to be taken out of the pipe.
            _postern_seconds_left && IFS= read -rN 1 -t "$seconds" first
            status=$?
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
                # The end of a reply that was cut short, or what follows on it.
                if [[ -e $POSTERN_CLIENT/ended ]]; then _postern_fail_ended; else _postern_break; fi
                return
                ;;
        esac
    done <"$POSTERN_CLIENT/output"
}

# _postern_sort LINE: 0 with _postern_reply for the reply that is waited for, 1 for another, which somebody has given up
# on, or for nothing at all, and 2 for what is no reply.
_postern_sort() {
    [[ $1 ]] || return 1
    if [[ ${1: -1} == '}' ]]; then
        if [[ $1 == "$_postern_head\"result\":"* || $1 == "$_postern_head\"error\":"* ]]; then
            _postern_reply=$1
            return 0
        fi
        # It could not read the request, hence no id either; the one request there is is this.
        if [[ $1 == '{"jsonrpc":"2.0","id":null,"error":'* ]]; then
            _postern_reply=$_postern_head${1:27}
            return 0
        fi
        [[ $1 =~ ^'{"jsonrpc":"2.0","id":'[0-9]+',"'(result|error)'":' ]] && return 1
    fi
    local line
    line=$(jq -c -L "$_POSTERN_LIB" 'include "reply"; as_written' <<<"$1" 2>/dev/null)
    [[ $line && $line != "$1" ]] || return 2
    _postern_sort "$line"
}

# Waits until this shell has the turn, and gives _postern_id for its request and _postern_deadline.
_postern_take_turn() {
    local REPLY seconds seen='' idle=0 must_take_over=''
    _postern_set_deadline || return
    while :; do
        _postern_is_open || { _postern_fail_closed; return; }
        if ! _postern_seconds_left 1; then
            _postern_fail 75 TimedOut "other calls took all of $POSTERN_TIMEOUT seconds; nothing was sent"
            return
        fi
        { read -rN 1 -t "$seconds" <>"$POSTERN_CLIENT/turn"; } 2>/dev/null && break
        if ! _postern_is_held; then
            if _postern_is_open; then _postern_fail_ended; else _postern_fail_closed; fi
            return
        fi
        _postern_watch_holder && must_take_over=1 && break
    done
    if [[ -e $POSTERN_CLIENT/ended ]]; then
        _postern_pass_turn
        _postern_fail_ended
    elif ! _postern_is_open || ! _postern_next_id; then
        _postern_pass_turn
        _postern_fail_closed
    else
        [[ ! $must_take_over ]] || _postern_take_over
    fi
}

# Lets the next shell have its turn. Opened for reading as well, there is no SIGPIPE where the client is being closed.
_postern_pass_turn() {
    { printf . 1<>"$POSTERN_CLIENT/turn"; } 2>/dev/null
}

# Gives _postern_id, the next one of all shells, and notes that this shell is at it.
_postern_next_id() {
    local holder
    { read -r holder _postern_id <"$POSTERN_CLIENT/holder"; } 2>/dev/null || return
    ((_postern_id += 1))
    # shellcheck disable=SC2059 # the format is a constant of this file
    { printf "$_POSTERN_HOLDER" "$BASHPID" "$_postern_id" 1<>"$POSTERN_CLIENT/holder"; } 2>/dev/null
}

# After a second of waiting in vain: whether who had the turn last is no more, or is this shell, whose call Ctrl-C has
# ended, and it falls to us of all who wait. Who has it now may not have said so yet, hence three times.
_postern_watch_holder() {
    local holder id
    read -r holder id <"$POSTERN_CLIENT/holder"
    if [[ "$holder $id" != "$seen" ]]; then
        seen="$holder $id" idle=0
    elif [[ $holder == "$BASHPID" ]] || ! kill -0 "$holder"; then
        ((idle += 1))
        ((idle >= 3)) && mkdir "$POSTERN_CLIENT/taken-over-$id"
        return
    fi
    return 1
} 2>/dev/null

# Gets rid of what the last call has left half written and half read: all up to the reply to a request that has no other
# use.
_postern_take_over() {
    local line head="{\"jsonrpc\":\"2.0\",\"id\":$_postern_id,"
    printf '\n%s"method":"system.info"}\n' "$head" >"$POSTERN_CLIENT/input"
    while IFS= read -r line && [[ $line != "$head"* && $line != ended ]]; do :; done <"$POSTERN_CLIENT/output"
    _postern_next_id
}

# Gives _postern_deadline, in microseconds since 1970; empty for none.
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

# _postern_seconds_left [MOST]: gives seconds, how long may be waited yet; fails as `read` does where that is nothing.
_postern_seconds_left() {
    local left
    seconds=${1-1000000000}
    [[ $_postern_deadline ]] || return 0
    left=$((_postern_deadline - ${EPOCHREALTIME/[.,]/}))
    ((left > 0)) || return 142
    ((left >= seconds * 1000000)) || printf -v seconds '%d.%06d' "$((left / 1000000))" "$((left % 1000000))"
}

# Whether nobody has closed the client.
_postern_is_open() {
    [[ -d $POSTERN_CLIENT && ! -e $POSTERN_CLIENT/closed ]]
}

# Whether there is the process that holds the pipes open.
_postern_is_held() {
    local supervisor=''
    read -r supervisor <"$POSTERN_CLIENT/supervisor"
    kill -0 "$supervisor"
} 2>/dev/null

_postern_fail_closed() {
    _postern_fail 70 ClientClosed 'no client is open; postern_open opens one'
}

_postern_fail_ended() {
    local how='what held the process was ended' line lines=()
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

# Closes the client, as nobody knows what the next bytes are.
_postern_break() {
    : >"$POSTERN_CLIENT/closed"
    local supervisor=''
    read -r supervisor <"$POSTERN_CLIENT/supervisor"
    kill -TERM "$supervisor" 2>/dev/null
    _postern_fail 76 ProtocolError 'what came is no reply; the client is closed'
}

# Ends the process and waits for that. The end of its output is that of all there was.
_postern_end() {
    local supervisor='' rest
    read -r supervisor <"$POSTERN_CLIENT/supervisor"
    if kill -TERM "$supervisor"; then
        while read -r rest; do :; done <"$POSTERN_CLIENT/output"
    else
        rm -rf "$POSTERN_CLIENT"
    fi
} 2>/dev/null
