# Writes params as JSON and reads results and errors. Functions set variables of their callers: a subshell for each
# would take longer than the call. Bash builds requests and reads replies in the format that the service writes; jq
# reads all other formats, because its start is slow.
# shellcheck shell=bash

# Clears the error of the last call.
_postern_reset() {
    POSTERN_ERROR='' POSTERN_ERROR_MESSAGE='' POSTERN_ERROR_CODE='' POSTERN_ERROR_DATA='' POSTERN_ERROR_SLUG=''
    POSTERN_ERROR_FIELD='' POSTERN_ERROR_RETRY_AFTER='' POSTERN_ERRORS=()
}

# Whether this is a trap that runs during a call of this shell.
_postern_is_calling() {
    # The trap may have interrupted `IFS= read`.
    local IFS=' '
    [[ " ${FUNCNAME[*]} " == *' _postern_exchange '* || " ${FUNCNAME[*]} " == *' _postern_take_event '* ]]
}

# Begins a call. Fails during another call of this shell, because it could take the reply to that call.
_postern_begin() {
    if _postern_is_calling; then
        echo 'postern: a trap during a call can close the client, but cannot call' >&2
        return 64
    fi
    _postern_reset
}

# _postern_fail STATUS NAME MESSAGE: sets the error variables, prints the error on stderr unless -q, and returns STATUS.
# shellcheck disable=SC2034 # the script reads these variables
_postern_fail() {
    POSTERN_ERROR=$2
    POSTERN_ERROR_MESSAGE=$3
    local slugs=${POSTERN_ERRORS[*]-}
    [[ ${_postern_quiet-} ]] ||
        printf 'postern: %s%s%s\n' "${_postern_method:+$_postern_method: }" "$3" "${slugs:+ ($slugs)}" >&2
    return "$1"
}

# The JSON escape of each control character.
declare -gA _POSTERN_ESCAPES=([$'\b']='\b' [$'\t']='\t' [$'\n']='\n' [$'\f']='\f' [$'\r']='\r')
_postern_fill_escapes() {
    local code character escape
    for code in {1..31}; do
        printf -v escape '\\x%02x' "$code"
        printf -v character '%b' "$escape"
        printf -v escape '\\u%04x' "$code"
        _POSTERN_ESCAPES[$character]=${_POSTERN_ESCAPES[$character]-$escape}
    done
}
_postern_fill_escapes

# _postern_quote TEXT: sets _postern_json to the text as a JSON string.
_postern_quote() {
    # The replacements below are quoted, so that bash does not interpret a backslash or & in them.
    # shellcheck disable=SC1003 # a backslash is meant
    local backslash='\' quote='"' character
    _postern_json=${1//"$backslash"/"$backslash$backslash"}
    _postern_json=${_postern_json//"$quote"/"$backslash$quote"}
    if [[ $_postern_json == *[[:cntrl:]]* ]]; then
        for character in "${!_POSTERN_ESCAPES[@]}"; do
            _postern_json=${_postern_json//"$character"/"${_POSTERN_ESCAPES[$character]}"}
        done
    fi
    _postern_json=\"$_postern_json\"
}

# _postern_read_params WORD …: sets _postern_params to the params of _postern_method as JSON, from words NAME=VALUE and
# NAME:=JSON. Error messages contain no values, because a value may be a password.
_postern_read_params() {
    local -A given=()
    local number=0 word line path kind _postern_json
    # shellcheck disable=SC2153 # not a misspelling: _POSTERN_PARAMS is the table, _postern_params the result
    local IFS=$'\n' table=${_POSTERN_PARAMS[$_postern_method]}
    for word; do
        ((number += 1))
        for line in $table ''; do
            path=${line%:*} kind=${line##*:}
            [[ $word == "$path="* || $word == "$path:="* ]] && break
        done
        if [[ ! $line ]]; then
            _postern_refuse_word
            return
        fi
        if [[ ${given[$path]+there} ]]; then
            _postern_fail 64 UsageError "$path is given twice"
            return
        fi
        if [[ $word == "$path="* ]]; then
            _postern_read_value "${word:${#path}+1}"
        else
            _postern_read_json "${word:${#path}+2}"
        fi || return
        given[$path]=$_postern_json
    done
    _postern_join_params
}

# Fails with the reason why a word names no param.
_postern_refuse_word() {
    local there=''
    if [[ $word != *=* ]]; then
        _postern_fail 64 UsageError "word $number behind the method is neither NAME=VALUE nor NAME:=JSON"
        return
    fi
    for line in $table; do there+=" ${line%:*}"; done
    word=${word%%=*}
    _postern_fail 64 UsageError "no param '${word%:}'; there ${there:+are:}${there:-are none}"
}

# _postern_read_value VALUE: sets _postern_json to VALUE as JSON of the param's kind.
_postern_read_value() {
    case $kind in
        string) _postern_quote "$1" ;;
        integer)
            _postern_json=$1
            case ${1#-} in
                '' | *[!0-9]* | 0?*) _postern_fail 64 UsageError "$path takes an integer" ;;
            esac
            ;;
        boolean)
            _postern_json=$1
            [[ $1 == true || $1 == false ]] || _postern_fail 64 UsageError "$path takes true or false"
            ;;
        object) _postern_fail 64 UsageError "$path takes JSON, as in $path:=JSON" ;;
        *) _postern_fail 64 UsageError "$path takes JSON, as in $path:=JSON, or properties, as in $path.NAME=VALUE" ;;
    esac
}

# _postern_read_json JSON: sets _postern_json to JSON unchanged; jq only checks it, because jq rounds long numbers.
_postern_read_json() {
    _postern_json=${1//$'\n'/ }
    [[ $1 =~ ^(null|true|false|-?[1-9][0-9]*|0)$ ]] && return
    jq -en '[inputs] | length == 1' <<<"$1" >/dev/null 2>&1 || _postern_fail 64 UsageError "$path:= takes JSON"
}

# Sets _postern_params from the values in `given`. In the table, the properties of an object directly follow the object,
# so that each object is opened once.
_postern_join_params() {
    local parent current='' name separator=''
    _postern_params='{'
    for line in $table; do
        path=${line%:*}
        [[ ${given[$path]+there} ]] || continue
        parent=''
        [[ $path == *.* ]] && parent=${path%.*}
        while [[ $current && $parent. != "$current".* ]]; do
            _postern_params+='}'
            separator=,
            if [[ $current == *.* ]]; then current=${current%.*}; else current=''; fi
        done
        while [[ $current != "$parent" ]]; do
            name=${parent#"$current"}
            name=${name#.}
            name=${name%%.*}
            current=${current:+$current.}$name
            if [[ ${given[$current]+there} ]]; then
                _postern_fail 64 UsageError "$current is given twice, whole and by its properties"
                return
            fi
            _postern_params+="$separator\"$name\":{"
            separator=''
        done
        _postern_params+="$separator\"${path##*.}\":${given[$path]}"
        separator=,
    done
    while [[ $current ]]; do
        _postern_params+='}'
        if [[ $current == *.* ]]; then current=${current%.*}; else current=''; fi
    done
    _postern_params+='}'
}

# An error as the service writes it, if no string in it has an escape.
_POSTERN_ERROR_FORM='^\{"code":(-?[0-9]+),"message":"([^"\\]*)"(,"data":(\{"errors":\[("[a-z0-9_]+"(,"[a-z0-9_]+")*)\]'
_POSTERN_ERROR_FORM+='(,"field":"([^"\\]*)")?(,"retry_after":([0-9]+))?\}))?\}$'

# _postern_read_error JSON: sets the error variables from an error of the service, and fails with CallError.
# shellcheck disable=SC2034 # the script reads these variables
_postern_read_error() {
    local message slugs
    if [[ $1 =~ $_POSTERN_ERROR_FORM ]]; then
        POSTERN_ERROR_CODE=${BASH_REMATCH[1]}
        message=${BASH_REMATCH[2]}
        POSTERN_ERROR_DATA=${BASH_REMATCH[4]}
        slugs=${BASH_REMATCH[5]//\"/}
        IFS=, read -ra POSTERN_ERRORS <<<"$slugs"
        POSTERN_ERROR_FIELD=${BASH_REMATCH[8]}
        POSTERN_ERROR_RETRY_AFTER=${BASH_REMATCH[10]}
    else
        local parts
        mapfile -td '' parts < <(jq -j -L "$_POSTERN_LIB" 'include "reply"; error_parts' <<<"$1" 2>/dev/null)
        if ((${#parts[@]} < 5)); then
            _postern_fail 76 ProtocolError 'an error reply has no code or no message'
            return
        fi
        POSTERN_ERROR_CODE=${parts[0]} message=${parts[1]} POSTERN_ERROR_DATA=${parts[2]}
        POSTERN_ERROR_FIELD=${parts[3]} POSTERN_ERROR_RETRY_AFTER=${parts[4]} POSTERN_ERRORS=("${parts[@]:5}")
    fi
    POSTERN_ERROR_SLUG=${POSTERN_ERRORS[0]-}
    _postern_fail 1 CallError "$message"
}

# Checks the variable that -v or -A names, before anything is sent. Declares the array of -A if it does not exist.
_postern_check_target() {
    local name=${_postern_array:-$_postern_variable} declaration
    [[ $name ]] || return 0
    if [[ $name == [0-9]* || $name == *[!a-zA-Z0-9_]* || $name == _postern_* ]]; then
        _postern_fail 64 UsageError "'$name' cannot be a variable of the script"
        return
    fi
    [[ $_postern_array ]] || return 0
    if ! declaration=$(declare -p "$name" 2>/dev/null); then
        declare -gA "$name=()"
    elif [[ ! $declaration =~ ^declare\ -[a-z]*A ]]; then
        _postern_fail 64 UsageError "$name is no associative array; declare -A makes one"
    fi
}

# Checks _postern_result against the contract and assigns its properties to the array that _postern_array names.
_postern_unpack() {
    local -n _postern_target=$_postern_array
    local _postern_parts _postern_index
    mapfile -td '' _postern_parts < <(
        jq -j -L "$_POSTERN_LIB" --arg kind "${_POSTERN_RESULTS[$_postern_method]}" 'include "reply"; members($kind)' \
            <<<"$_postern_result" 2>/dev/null
    )
    # The last part is `complete`, or the fault of the result.
    if [[ ${_postern_parts[-1]-} != complete ]]; then
        _postern_fail 76 ProtocolError "${_postern_parts[-1]-the result is not JSON}"
        return
    fi
    _postern_target=()
    for ((_postern_index = 0; _postern_index + 1 < ${#_postern_parts[@]}; _postern_index += 2)); do
        # shellcheck disable=SC2004 # the array is associative
        _postern_target[${_postern_parts[_postern_index]}]=${_postern_parts[_postern_index + 1]}
    done
}
