# A client of Postern, to be sourced: bash 5.0 or newer, jq, and the coreutils and util-linux of any Linux.
#
#     source postern.bash
#     postern_open --data accounts --no-email-confirmation
#     postern -A operator operators.signin email=lasoren@bu.edu password="$password"
#     postern operators.clients.get user_id="${operator[id]}" session_id="${operator[session_id]}" provision=0
#     postern_close
#
# What fails sets POSTERN_ERROR and the variables beside it, says so on stderr, and gives the status in parentheses:
#
#     CallError (1)         the service answered with an error
#     UsageError (64)       a word of the call is wrong; nothing was sent
#     MessageTooLong (65)   the request is longer than 8 MiB; nothing was sent
#     ProcessEnded (69)     the process is not there any more
#     ClientClosed (70)     nothing is open
#     SystemError (71)      the system has no pipes or processes to give
#     BinaryNotFound (72)   there is no such program
#     TimedOut (75)         no reply within POSTERN_TIMEOUT seconds
#     ProtocolError (76)    what came is no reply; the client is closed
# shellcheck shell=bash

if ((BASH_VERSINFO[0] < 5)); then
    printf 'postern: needs bash 5.0 or newer, this is %s\n' "$BASH_VERSION" >&2
    # shellcheck disable=SC2317 # it is reached where the file is run rather than sourced
    return 64 2>/dev/null || exit 64
fi

# The client that calls go through: the directory of its pipes. To have two, keep the one's and clear this before
# opening the other; a call takes the one that stands here. Empty while nothing is open.
POSTERN_CLIENT=${POSTERN_CLIENT-}
# How many seconds a call may take, 0.5 or 10 say; empty for as long as it takes.
POSTERN_TIMEOUT=${POSTERN_TIMEOUT-}
# How many seconds a process that is closed has to end by itself, as of postern_open.
POSTERN_CLOSE_TIMEOUT=${POSTERN_CLOSE_TIMEOUT-30}
# What went wrong with the last call, one of the names above; empty where nothing did.
POSTERN_ERROR=
# The same in words; of a CallError the service's own.
POSTERN_ERROR_MESSAGE=
# Of a CallError: its code, its data as JSON, the words of data.errors and the first of them, the param at fault, and
# how many seconds to wait before it makes sense to try again. What it does not say is empty.
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

# postern_open [--binary PROGRAM] [--no-wait] [FLAG …]: starts a process, with these flags of the program (`postern --help`); its
# data live where --data says, or else where the program has them by default. The program is PROGRAM, or $POSTERN_BIN,
# or `postern` on the PATH. What the process writes on stderr goes where stderr goes now.
#
# It waits until the process answers, and fails with ProcessEnded, and the last lines of its stderr, where it cannot
# serve; with --no-wait the first call does.
#
# It ends with the shell that opened it, however that one ends. Shells that this one forks may call through it as well.
postern_open() {
    local -; set +emx
    local binary=${POSTERN_BIN:-postern} arguments=() waits=1 found tool directory errors='' supervisor=''
    local opener=$BASHPID
    _postern_reset
    while (($#)); do
        if [[ $1 == --binary ]]; then
            (($# > 1)) || { _postern_fail 64 UsageError '--binary needs a value'; return; }
            binary=$2
            shift
        elif [[ $1 == --no-wait ]]; then
            waits=''
        else
            arguments+=("$1")
        fi
        shift
    done
    if [[ -d $POSTERN_CLIENT ]]; then
        _postern_fail 64 UsageError 'a client is open; close it, or keep POSTERN_CLIENT elsewhere and clear it'
        return
    fi
    for tool in flock fold jq mkfifo mktemp setpriv setsid tail tee; do
        type -P "$tool" >/dev/null && continue
        _postern_fail 72 BinaryNotFound "$tool is needed and not on the PATH ($PATH)"
        return
    done
    if ! found=$(type -P -- "$binary") || [[ ! -x $found ]]; then
        local places=$binary
        [[ $binary == */* ]] || places="$binary in any of ${PATH//:/, }"
        _postern_fail 72 BinaryNotFound "there is no program $places; say where with --binary or POSTERN_BIN"
        return
    fi
    # shellcheck disable=SC2059 # the format is a constant of lib/exchange.bash
    if ! { directory=$(mktemp -d "${TMPDIR:-/tmp}/postern.XXXXXXXXXX") &&
        mkfifo -m 600 "$directory"/{input,output,errors,recent,ready,pause} &&
        printf "$_POSTERN_CALL" 0 0 >"$directory/call"; }; then
        _postern_fail 71 SystemError "no pipes can be made in ${TMPDIR:-/tmp}"
        return
    fi
    # A session of its own keeps Ctrl-C from it. No job of this shell, so `wait` is not about it.
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
    # It cleans up after this shell from here on.
    if ! _postern_is_started "$supervisor" "$directory"; then
        rm -r "$directory"
        _postern_fail 71 SystemError 'the system refuses the process, or what it needs: descriptors, memory, room for words'
        return
    fi
    POSTERN_CLIENT=$directory
    [[ ! $waits ]] || _postern_wait_until_ready
}

# _postern_is_started SUPERVISOR DIRECTORY: waits until there is the process, and fails where what is to hold it ends
# before, or there is none.
_postern_is_started() {
    local end=$((SECONDS + 30)) REPLY
    [[ $1 ]] || return
    until read -rN 1 -t 0.2 <>"$2/ready"; do
        if ! kill -0 "$1" || ((SECONDS >= end)); then
            kill "$1"
            return 1
        fi
    done
} 2>/dev/null

# Asks the process whether it serves, and closes the client where it does not.
_postern_wait_until_ready() {
    local POSTERN_TIMEOUT=60 _postern_quiet=1 _postern_result status=0
    _postern_exchange system.info '' || status=$?
    if ((status == 0)) || [[ $POSTERN_ERROR == CallError ]]; then
        # An error that the service answers with is an answer as well.
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

# postern [-q] [-v VARIABLE | -A ARRAY] METHOD [NAME=VALUE | NAME:=JSON …]: calls a method.
#
# A NAME is that of a param, or of a member of one by its path: client.user.email. The VALUE of what the contract has as
# a string is taken exactly as given; one of an integer or boolean must be one. JSON is any, null say. A name that the
# method does not have is refused.
#
# The result is printed as JSON, nothing where the method gives nothing; with -v it is put into VARIABLE; with -A its
# members are put into the associative ARRAY by their paths, [user.email], [clients.0.id], with how many there are of a
# list under its own path and no element for what is null. Then it is checked to be what the contract says. Times are
# the text they are. -q says nothing on stderr where the call fails.
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
# JSON or puts it into VARIABLE. Neither is checked against the contract.
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
        _postern_fail 64 UsageError 'postern_call takes a method and, maybe, its params as JSON'
        return
    fi
    _postern_method=$1
    local json=${2-}
    _postern_check_target || return
    # Line feeds in JSON stand between its tokens alone; in the request they would end it.
    _postern_exchange "$_postern_method" "${json//$'\n'/ }" || return
    if [[ $_postern_variable ]]; then
        printf -v "$_postern_variable" %s "$_postern_result"
    else
        printf '%s\n' "$_postern_result"
    fi
}

# postern_close: ends the process and waits for that. Calls under way in other shells get their replies first, later
# ones fail with ClientClosed. A process that does not end within POSTERN_CLOSE_TIMEOUT seconds gets SIGTERM, and five
# seconds later SIGKILL. Closing what is closed is nothing.
postern_close() {
    local -; set +ex
    local _postern_quiet=1 POSTERN_TIMEOUT=$POSTERN_CLOSE_TIMEOUT _postern_deadline
    _postern_reset
    [[ -d $POSTERN_CLIENT ]] || return 0
    # A trap in a call cannot wait for its turn; otherwise nobody's call is under way any more.
    _postern_is_calling || { _postern_set_deadline && _postern_take_turn 9>>"$POSTERN_CLIENT/lock"; }
    { : >"$POSTERN_CLIENT/closed"; } 2>/dev/null
    _postern_end
    _postern_reset
}

# postern_help [NAME]: prints what there is to know about a method or an error's slug, or the names of all methods.
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
