# The events of the audit trail, which the process sends between replies (postern_open --events). A shell reads the
# output only during a call and in postern_event, so the process holds back the events that come at other times. The
# events that come during a call are kept in the file `events`, one line each, and `events-taken` has how many bytes of
# it were taken. If the file `events-lost` exists, events after those were dropped. A client without events has no file
# `events`.
# shellcheck shell=bash

# At this size of `events`, further events are dropped.
_POSTERN_EVENTS_BYTES_MAX=$((16 << 20))
# Events that are kept during one call.
_POSTERN_EVENTS_PER_CALL_MAX=20000
# For -A.
_POSTERN_RESULTS[event]=Event
_POSTERN_EVENT_HEAD='{"jsonrpc":"2.0","method":"event","params":'

# postern_event [-q] [-v VARIABLE | -A ARRAY] [-t SECONDS]: waits for the next event of the audit trail. It is printed
# or assigned as the result of a call is. Without -t it waits until there is one; POSTERN_TIMEOUT is for calls.
#
#     while postern_event -A event; do
#         echo "${event[kind]} ${event[account]-}"
#         echo "${event[seq]}" >cursor.new && mv cursor.new cursor
#     done
#
# Each event comes after it is durable, in the order of `seq`. The next client that is opened with --events
# --events-after and the `seq` of the last event that was processed misses none. An event can come again, always with
# the same `seq`. Several shells share the events. If they are not taken for so long that 16 MiB come during calls, or
# if a call was killed, it fails with EventsLost after the events that were kept; then open a new client.
postern_event() {
    local -; set +ex
    local _postern_quiet='' _postern_variable='' _postern_array='' _postern_method=event _postern_result=''
    local OPTIND=1 OPTARG _postern_option _postern_deadline POSTERN_TIMEOUT='' status
    _postern_begin || return
    while getopts :qv:A:t: _postern_option; do
        case $_postern_option in
            q) _postern_quiet=1 ;;
            v) _postern_variable=$OPTARG ;;
            A) _postern_array=$OPTARG ;;
            t) POSTERN_TIMEOUT=$OPTARG ;;
            *) _postern_fail 64 UsageError 'postern_event [-q] [-v VARIABLE | -A ARRAY] [-t SECONDS]'; return ;;
        esac
    done
    _postern_check_target || return
    _postern_set_deadline || return
    _postern_is_open || { _postern_fail_closed; return; }
    if [[ ! -e $POSTERN_CLIENT/events ]]; then
        _postern_fail 64 UsageError 'this client gets no events; open it with --events'
        return
    fi
    while :; do
        status=0
        _postern_take_event 9>>"$POSTERN_CLIENT/lock" || status=$?
        if ((status != 0)); then
            [[ $POSTERN_ERROR ]] || _postern_fail_ended
            return "$status"
        fi
        [[ ! $_postern_result ]] || break
        # Without the turn, so that other shells can call meanwhile.
        { read -rt 0.05 <>"$POSTERN_CLIENT/pause"; } 2>/dev/null
    done
    if [[ $_postern_array ]]; then
        _postern_unpack
    elif [[ $_postern_variable ]]; then
        printf -v "$_postern_variable" %s "$_postern_result"
    else
        printf '%s\n' "$_postern_result"
    fi
}

# Sets _postern_result to the next event; leaves it empty if there is none yet. Descriptor 9 is `lock`.
_postern_take_event() {
    # shellcheck disable=SC2034 # _postern_seconds_left sets seconds
    local unfinished _postern_id _postern_head='' _postern_kept=0 line seconds status=0
    _postern_take_turn || return
    _postern_take_kept_event && return
    read -r unfinished _postern_id <"$POSTERN_CLIENT/call" || return
    if [[ -e $POSTERN_CLIENT/events-lost ]] || ((unfinished)); then
        _postern_fail 74 EventsLost 'events were dropped; open a new client with --events-after'
        return
    fi
    while read -rt 0; do
        # From here on, a shell that is killed may have taken a part of the output.
        _postern_note_call 1
        IFS= read -r line || status=$?
        if ((status != 0)) || [[ $line == ended ]]; then
            _postern_fail_ended
            return
        fi
        if [[ $line == "$_POSTERN_EVENT_HEAD"*'}' ]]; then
            _postern_result=${line#"$_POSTERN_EVENT_HEAD"}
            _postern_result=${_postern_result%?}
        else
            _postern_sort "$line" || status=$?
        fi
        if ((status > 1)); then
            if [[ -e $POSTERN_CLIENT/ended ]]; then _postern_fail_ended; else _postern_break; fi
            return
        fi
        status=0
        _postern_note_call 0
        [[ ! $_postern_result ]] || return 0
        # An event in another form than the usual one was kept.
        _postern_take_kept_event && return
    done <"$POSTERN_CLIENT/output"
    _postern_seconds_left && return
    _postern_fail 75 TimedOut "no event within $POSTERN_TIMEOUT seconds"
}

# Sets _postern_result to the first event that was kept; fails if there is none.
_postern_take_kept_event() {
    local taken=0 line='' next='' LC_ALL=C
    [[ -s $POSTERN_CLIENT/events ]] || return
    [[ ! -s $POSTERN_CLIENT/events-taken ]] || read -r taken <"$POSTERN_CLIENT/events-taken"
    { IFS= read -r line; IFS= read -r next; } < <(tail -c "+$((taken + 1))" "$POSTERN_CLIENT/events")
    [[ $line ]] || return
    if [[ $next ]]; then
        printf '%d\n' "$((taken + ${#line} + 1))" >"$POSTERN_CLIENT/events-taken"
    else
        : >"$POSTERN_CLIENT/events"
        : >"$POSTERN_CLIENT/events-taken"
    fi
    _postern_result=$line
} 2>/dev/null

# _postern_keep_event LINE: keeps an event that comes during a call.
_postern_keep_event() {
    [[ -e $POSTERN_CLIENT/events && ! -e $POSTERN_CLIENT/events-lost ]] || return 0
    local event=${1#"$_POSTERN_EVENT_HEAD"}
    if ((_postern_kept < _POSTERN_EVENTS_PER_CALL_MAX)) && printf '%s\n' "${event%?}" >>"$POSTERN_CLIENT/events"; then
        ((_postern_kept += 1))
    else
        _postern_lose_events
    fi
} 2>/dev/null

# After a call that has kept events: bounds their size.
_postern_bound_events() {
    local size
    ((_postern_kept)) || return 0
    size=$(stat -c %s "$POSTERN_CLIENT/events") || size=$((_POSTERN_EVENTS_BYTES_MAX + 1))
    ((size <= _POSTERN_EVENTS_BYTES_MAX)) || _postern_lose_events
} 2>/dev/null

# Notes that events are missing after those that were kept: no later ones are kept.
_postern_lose_events() {
    [[ ! -e $POSTERN_CLIENT/events ]] || : >"$POSTERN_CLIENT/events-lost"
} 2>/dev/null
