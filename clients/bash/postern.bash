# A client of Postern, to be sourced. Requires bash 5.0 or newer, jq, and the coreutils and util-linux of any Linux.
#
#     source postern.bash
#     postern_open --data accounts --no-email-confirmation
#     postern -A operator operators.signin email=lasoren@bu.edu password="$password"
#     postern operators.clients.get user_id="${operator[id]}" session_id="${operator[session_id]}" provision=0
#     postern_close
#
# A function that fails sets POSTERN_ERROR and the other POSTERN_ERROR variables, prints the error on stderr, and
# returns the status in parentheses:
#
#     CallError (1)         the service replied with an error
#     UsageError (64)       an argument of the call is wrong; nothing was sent
#     MessageTooLong (65)   the request is longer than 8 MiB; nothing was sent
#     ProcessEnded (69)     the process has ended
#     ClientClosed (70)     no client is open
#     SystemError (71)      the system has no pipes or processes left
#     BinaryNotFound (72)   the binary was not found
#     EventsLost (74)       events were not taken for too long, or a call was killed, and later ones were dropped
#     TimedOut (75)         no reply within POSTERN_TIMEOUT seconds
#     ProtocolError (76)    the output is not a reply, and the client is closed; or a result does not match the contract
# shellcheck shell=bash

if ((BASH_VERSINFO[0] < 5)); then
    printf 'postern: needs bash 5.0 or newer, this is %s\n' "$BASH_VERSION" >&2
    # shellcheck disable=SC2317 # exit is reached if the file is run and not sourced
    return 64 2>/dev/null || exit 64
fi

# The client that calls go through: the directory of its pipes. Empty while no client is open. To use two clients, save
# the value of the first and clear the variable before opening the second.
POSTERN_CLIENT=${POSTERN_CLIENT-}
# How many seconds a call may take, such as 0.5 or 10; empty for no limit.
POSTERN_TIMEOUT=${POSTERN_TIMEOUT-}
# How many seconds after closing the process gets SIGTERM. postern_open reads it.
POSTERN_CLOSE_TIMEOUT=${POSTERN_CLOSE_TIMEOUT-30}
# The error of the last call, one of the names above; empty if the call succeeded.
POSTERN_ERROR=
# The error's message; for a CallError, the message of the service.
POSTERN_ERROR_MESSAGE=
# For a CallError: the code, data as JSON, the slugs of data.errors, the first slug, the path of the invalid param, and
# how many seconds to wait before a retry. Empty if the error does not have them.
POSTERN_ERROR_CODE=
POSTERN_ERROR_DATA=
POSTERN_ERRORS=()
POSTERN_ERROR_SLUG=
POSTERN_ERROR_FIELD=
POSTERN_ERROR_RETRY_AFTER=

_POSTERN_LIB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/lib
# shellcheck source=lib/methods.bash
source "$_POSTERN_LIB/methods.bash"
# shellcheck source=lib/json.bash
source "$_POSTERN_LIB/json.bash"
# shellcheck source=lib/exchange.bash
source "$_POSTERN_LIB/exchange.bash"
# shellcheck source=lib/events.bash
source "$_POSTERN_LIB/events.bash"

# postern_open [--binary PROGRAM] [--no-wait] [FLAG …]: starts a process with these flags (`postern --help`). --data
# names the directory of its data; without it, the program uses its default. The binary is PROGRAM, or else
# $POSTERN_BIN, or else `postern` on the PATH. The stderr of the process goes to the stderr that postern_open has.
#
# It waits until the process replies. If the process cannot serve, it fails with ProcessEnded and the last lines of the
# process's stderr; with --no-wait, the first call fails instead.
#
# The process ends when the shell that opened it ends, for any reason. Forks of this shell can call through it too.
#
# With --events, and --events-after NUMBER, postern_event returns the events of the audit trail.
#
# --mail host is refused: no shell reads the output between calls, so requests for mails would not be answered in time.
postern_open() {
    local -; set +emx
    local binary=${POSTERN_BIN:-postern} arguments=() waits=1 found tool directory errors='' supervisor=''
    local opener=$BASHPID mail=${POSTERN_MAIL-} events=''
    _postern_reset
    while (($#)); do
        if [[ $1 == --binary ]]; then
            (($# > 1)) || { _postern_fail 64 UsageError '--binary needs a value'; return; }
            binary=$2
            shift
        elif [[ $1 == --no-wait ]]; then
            waits=''
        else
            [[ $1 != --mail ]] || mail=${2-}
            [[ $1 != --mail=* ]] || mail=${1#*=}
            [[ $1 != --events ]] || events=1
            arguments+=("$1")
        fi
        shift
    done
    if [[ $mail == host ]]; then
        _postern_fail 64 UsageError "this client does not deliver mails; instead of --mail host, use --mail 'command:…'"
        return
    fi
    if [[ -d $POSTERN_CLIENT ]]; then
        _postern_fail 64 UsageError 'a client is open; close it, or save POSTERN_CLIENT elsewhere and clear it'
        return
    fi
    for tool in flock fold jq mkfifo mktemp setpriv setsid tail tee; do
        type -P "$tool" >/dev/null && continue
        _postern_fail 72 BinaryNotFound "$tool is required, and is not on the PATH ($PATH)"
        return
    done
    if ! found=$(type -P -- "$binary") || [[ ! -x $found ]]; then
        local places=$binary
        [[ $binary == */* ]] || places="$binary in any of ${PATH//:/, }"
        _postern_fail 72 BinaryNotFound "no program $places; set --binary or POSTERN_BIN"
        return
    fi
    # shellcheck disable=SC2059 # the format is a constant of lib/exchange.bash
    if ! { directory=$(mktemp -d "${TMPDIR:-/tmp}/postern.XXXXXXXXXX") &&
        mkfifo -m 600 "$directory"/{input,output,errors,recent,ready,pause} &&
        printf "$_POSTERN_CALL" 0 0 >"$directory/call" && { [[ ! $events ]] || : >"$directory/events"; }; }; then
        _postern_fail 71 SystemError "cannot create pipes in ${TMPDIR:-/tmp}"
        return
    fi
    # In a new session, Ctrl-C does not reach it. It is not a job of this shell, so that `wait` does not wait for it.
    {
        setsid setpriv --pdeathsig TERM "$BASH" -p "$_POSTERN_LIB/process.bash" "$directory" "$opener" \
            "$POSTERN_CLOSE_TIMEOUT" "$found" --replies as-completed --framing line "${arguments[@]}" \
            </dev/null >/dev/null 2>&"$errors" {errors}>&- &
        supervisor=$!
    } {errors}>&2 2>/dev/null
    [[ ! $errors ]] || exec {errors}>&-
    if [[ $supervisor ]]; then
        printf '%s\n' "$supervisor" >"$directory/supervisor"
        disown "$supervisor"
    fi
    # Once it has started, the supervisor removes the directory when this shell ends.
    if ! _postern_is_started "$supervisor" "$directory"; then
        rm -r "$directory"
        _postern_fail 71 SystemError 'the system cannot start the process: no descriptors or memory, or too long arguments'
        return
    fi
    POSTERN_CLIENT=$directory
    [[ ! $waits ]] || _postern_wait_until_ready
}

# _postern_is_started SUPERVISOR DIRECTORY: waits until the process has started. Fails if SUPERVISOR is empty, or if the
# supervisor ends before that, or after 30 seconds.
_postern_is_started() {
    local end=$((SECONDS + 30)) REPLY=''
    [[ $1 ]] || return
    # A timeout just after the byte was read fails too.
    until read -rN 1 -t 0.2 <>"$2/ready" || [[ $REPLY ]]; do
        if ! kill -0 "$1" || ((SECONDS >= end)); then
            kill "$1"
            return 1
        fi
    done
} 2>/dev/null

# Waits for the reply to a first request, and closes the client if none arrives.
_postern_wait_until_ready() {
    local POSTERN_TIMEOUT=60 _postern_quiet=1 _postern_result status=0
    _postern_exchange system.info '' || status=$?
    if ((status == 0)); then _postern_check_contract || status=$?; fi
    if ((status == 0)) || [[ $POSTERN_ERROR == CallError ]]; then
        # An error reply also shows that the process serves.
        _postern_reset
        # shellcheck disable=SC2059 # the format is a constant of lib/exchange.bash
        printf "$_POSTERN_CALL" 0 0 1<>"$POSTERN_CLIENT/call"
        return 0
    fi
    printf 'postern: %s\n' "$POSTERN_ERROR_MESSAGE" >&2
    { : >"$POSTERN_CLIENT/closed"; } 2>/dev/null
    _postern_end
    return "$status"
}

# Fails if the service, by the result of its `system.info`, has an older contract than this client.
_postern_check_contract() {
    [[ $_postern_result == '{'* ]] || return 0
    local has='no version' index parts needed
    if [[ $_postern_result =~ \"contract\":\"([0-9.]+)\" ]]; then
        has="version ${BASH_REMATCH[1]}"
        IFS=. read -ra parts <<<"${BASH_REMATCH[1]}"
        IFS=. read -ra needed <<<"$_POSTERN_CONTRACT_VERSION"
        for index in "${!needed[@]}"; do
            ((10#${parts[index]:-0} < 10#${needed[index]})) && break
            ((10#${parts[index]:-0} == 10#${needed[index]} && index + 1 < ${#needed[@]})) || return 0
        done
    fi
    _postern_fail 76 ProtocolError \
        "the contract of this Postern has $has; this client needs $_POSTERN_CONTRACT_VERSION or later"
}

# postern [-q] [-v VARIABLE | -A ARRAY] METHOD [NAME=VALUE | NAME:=JSON …]: calls a method.
#
# A NAME is a param, or the path of a property in a param: client.user.email. If the contract has a string there, VALUE
# is sent exactly as given; the VALUE of an integer or boolean is checked. JSON is any JSON, such as null. A name that
# the method does not have is an error.
#
# The result is printed as JSON; nothing is printed if the method has no result. With -v it is assigned to VARIABLE.
# With -A it is checked against the contract, and its properties are assigned to the associative ARRAY by their paths:
# [user.email], [clients.0.id]. The length of a list is at the path of the list; a null has no element. Times are text.
# -q prints nothing on stderr if the call fails.
postern() {
    local -; set +ex
    local _postern_quiet='' _postern_variable='' _postern_array='' _postern_method _postern_params _postern_result
    local OPTIND=1 OPTARG _postern_option
    _postern_begin || return
    while getopts :qv:A: _postern_option; do
        case $_postern_option in
            q) _postern_quiet=1 ;;
            v) _postern_variable=$OPTARG ;;
            A) _postern_array=$OPTARG ;;
            *) _postern_fail 64 UsageError 'postern [-q] [-v VARIABLE | -A ARRAY] METHOD [NAME=VALUE …]'; return ;;
        esac
    done
    shift "$((OPTIND - 1))"
    _postern_method=${1-}
    if [[ ! $_postern_method || ! ${_POSTERN_PARAMS[$_postern_method]+known} ]]; then
        _postern_fail 64 UsageError "no method '$_postern_method'; postern_help lists them, postern_call calls any"
        return
    fi
    shift
    _postern_check_target || return
    _postern_read_params "$@" || return
    _postern_exchange "$_postern_method" "$_postern_params" || return
    if [[ $_postern_array ]]; then
        _postern_unpack
    elif [[ $_postern_variable ]]; then
        printf -v "$_postern_variable" %s "$_postern_result"
    elif [[ ${_POSTERN_RESULTS[$_postern_method]} != nothing ]]; then
        printf '%s\n' "$_postern_result"
    fi
}

# postern_call [-q] [-v VARIABLE] METHOD [JSON]: calls a method by any name with any params, and prints its result as
# JSON or assigns it to VARIABLE. Params and result are not checked against the contract.
postern_call() {
    local -; set +ex
    local _postern_quiet='' _postern_variable='' _postern_array='' _postern_method _postern_result
    local OPTIND=1 OPTARG _postern_option
    _postern_begin || return
    while getopts :qv: _postern_option; do
        case $_postern_option in
            q) _postern_quiet=1 ;;
            v) _postern_variable=$OPTARG ;;
            *) _postern_fail 64 UsageError 'postern_call [-q] [-v VARIABLE] METHOD [JSON]'; return ;;
        esac
    done
    shift "$((OPTIND - 1))"
    if (($# < 1 || $# > 2)); then
        _postern_fail 64 UsageError 'postern_call takes a method and, optionally, its params as JSON'
        return
    fi
    _postern_method=$1
    local json=${2-}
    _postern_check_target || return
    # A line feed would end the request. In JSON, line feeds can only be between tokens.
    _postern_exchange "$_postern_method" "${json//$'\n'/ }" || return
    if [[ $_postern_variable ]]; then
        printf -v "$_postern_variable" %s "$_postern_result"
    else
        printf '%s\n' "$_postern_result"
    fi
}

# postern_close: ends the process and waits until it has ended. The call in flight in another shell gets its reply
# first; later calls fail with ClientClosed. A process that does not end within POSTERN_CLOSE_TIMEOUT seconds gets
# SIGTERM, and five seconds later SIGKILL. Does nothing if no client is open.
postern_close() {
    local -; set +ex
    local _postern_quiet=1 POSTERN_TIMEOUT=$POSTERN_CLOSE_TIMEOUT _postern_deadline
    _postern_reset
    [[ -d $POSTERN_CLIENT ]] || return 0
    # A trap during a call cannot wait for its turn. With the turn, no other shell has a call in flight.
    _postern_is_calling || { _postern_set_deadline && _postern_take_turn 9>>"$POSTERN_CLIENT/lock"; }
    { : >"$POSTERN_CLIENT/closed"; } 2>/dev/null
    _postern_end
    _postern_reset
}

# postern_help [NAME]: prints the description of a method or an error slug, or without NAME the names of all methods.
postern_help() {
    local line shown=''
    if (($# == 0)); then
        printf '%s\n' "${!_POSTERN_PARAMS[@]}" | sort
        return
    fi
    while IFS= read -r line; do
        [[ $line == "# $1: "* ]] && shown=1
        [[ $shown && $line != '#'* ]] && return
        [[ $shown ]] && printf '%s\n' "${line#\# }"
    done <"$_POSTERN_LIB/methods.bash"
    printf 'postern: no method or error %s\n' "$1" >&2
    return 64
}
