/// The completion script for bash.
struct BashCompletions {
    let text: String

    init() {
        text = [
            Shell.bash.title, Self.helpers, Self.values, Self.flags, Self.arguments, Self.main,
            "complete -F _postern postern",
        ].joined(separator: "\n\n")
    }

    /// Functions that add to the reply what continues the word `cur`. It begins with `prefix`: the flag in `--flag=`.
    private static let helpers = """
        # Adds the words that continue the current one: WORD …
        __postern_words() {
            local value=${cur#"$prefix"} word
            for word; do
                [[ $word == "$value"* ]] || continue
                COMPREPLY+=("$prefix$word")
            done
        }

        # Adds starts of words that continue the current one: START …
        __postern_starts() {
            local count=${#COMPREPLY[@]}
            __postern_words "$@"
            if ((${#COMPREPLY[@]} > count)); then compopt -o nospace 2>/dev/null; fi
        }

        # Adds the words that continue the last one of a list: WORD …
        __postern_list() {
            local value=${cur#"$prefix"}
            [[ $value == *,* ]] && local prefix=$prefix${value%,*},
            __postern_words "$@"
        }

        # Adds files (-f) or directories (-d): KIND [START OF THE WORD]
        __postern_paths() {
            local value=${cur#"$prefix"} path
            [[ $value == "$2"* ]] || return
            compopt -o filenames 2>/dev/null
            while IFS= read -r path; do
                COMPREPLY+=("$prefix$2$path")
            done < <(compgen "$1" -- "${value#"$2"}")
        }
        """

    private static var values: String {
        let arms = Flag.all.filter { !$0.candidates.isEmpty }.map { arm($0.word, $0.candidates) }
        return function("__postern_value", "Completes the value of a flag: FLAG", ["case $1 in"] + arms + ["esac"])
    }

    private static var flags: String {
        let arms = Command.allCases.filter { !$0.flags.isEmpty }.map { command in
            "    \(command.rawValue)) __postern_words \(command.flags.map(\.word).joined(separator: " ")) ;;"
        }
        let lines = ["__postern_words --help --version", "case ${command:-\(Command.default.rawValue)} in"]
        return function("__postern_flags", "Completes a flag of the command.", lines + arms + ["esac"])
    }

    private static var arguments: String {
        let commands = Command.allCases.map(\.rawValue).joined(separator: " ")
        let arms = Command.allCases.flatMap { command in
            ArgumentForms(command).places.map { place in
                let first = place.first.isEmpty ? [""] : place.first
                return arm(
                    first.map { "\(command.rawValue):\(place.index):\($0)" }.joined(separator: "|"),
                    place.candidates
                )
            }
        }
        return function(
            "__postern_argument",
            "Completes an argument of the command, or the command.",
            ["case $command:${#arguments[@]}:${arguments[0]-} in", "    :*) __postern_words \(commands) ;;"] + arms
                + ["esac"]
        )
    }

    private static func arm(_ pattern: String, _ candidates: Candidates) -> String {
        var steps: [String] = []
        if !candidates.words.isEmpty {
            let words = candidates.words.joined(separator: " ")
            steps.append("\(candidates.isList ? "__postern_list" : "__postern_words") \(words)")
        }
        if let paths = candidates.paths { steps.append("__postern_paths \(kind(paths))") }
        let starts = candidates.starts.map(\.text).joined(separator: " ")
        if !starts.isEmpty { steps.append("__postern_starts \(starts)") }
        steps += candidates.starts.compactMap { start in
            start.paths.map { "__postern_paths \(kind($0)) \(start.text)" }
        }
        return "    \(pattern)) \(steps.joined(separator: "; ")) ;;"
    }

    private static func kind(_ paths: Candidates.Paths) -> String { paths == .files ? "-f" : "-d" }

    private static func function(_ name: String, _ comment: String, _ lines: [String]) -> String {
        (["# \(comment)", "\(name)() {"] + lines.map { "    \($0)" } + ["}"]).joined(separator: "\n")
    }

    private static var main: String {
        let withValue = Flag.all.filter { $0.value != nil }.map(\.word).joined(separator: "|")
        return """
            _postern() {
                COMPREPLY=()
                # Readline splits words at "=", ":" and "@", which are parts of words for postern. This joins them.
                local -a words=()
                local i part blank rest=$COMP_LINE
                for ((i = 0; i <= COMP_CWORD; i++)); do
                    part=${COMP_WORDS[i]}
                    blank=${rest%%[![:space:]]*}
                    if [[ $i == 0 || -n $blank ]]; then words+=("$part"); else words[-1]+=$part; fi
                    rest=${rest#"$blank"}
                    rest=${rest#"$part"}
                done
                local after=${COMP_LINE:COMP_POINT}
                local cur=${words[-1]%"${after%%[[:space:]]*}"}
                unset 'words[-1]'

                local word flag='' command='' prefix=''
                local -a arguments=()
                for word in "${words[@]:1}"; do
                    if [[ -n $flag ]]; then
                        flag=''
                        continue
                    fi
                    case $word in
                    \(withValue)) flag=$word ;;
                    -?*) ;;
                    *) if [[ -z $command ]]; then command=$word; else arguments+=("$word"); fi ;;
                    esac
                done
                if [[ -n $flag ]]; then
                    __postern_value "$flag"
                elif [[ $cur == --*=* ]]; then
                    prefix=${cur%%=*}=
                    __postern_value "${cur%%=*}"
                elif [[ $cur == -* ]]; then
                    __postern_flags
                else
                    __postern_argument
                fi

                # Readline replaces only the part of the word after the last separator.
                local head='' mark
                for mark in = : @; do
                    if [[ $COMP_WORDBREAKS == *"$mark"* && $cur == *"$mark"* ]]; then
                        part=${cur%"$mark"*}$mark
                        if ((${#part} > ${#head})); then head=$part; fi
                    fi
                done
                COMPREPLY=("${COMPREPLY[@]#"$head"}")
            }
            """
    }
}
