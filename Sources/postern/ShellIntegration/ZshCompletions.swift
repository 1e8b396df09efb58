/// The completion script for zsh: a file `_postern` in a directory of `fpath`.
struct ZshCompletions {
    let text: String

    init() {
        text = [
            "#compdef postern\n" + Shell.zsh.title, Self.commands, Self.values, Self.arguments, Self.flags, Self.main,
            #"_postern "$@""#,
        ].joined(separator: "\n\n")
    }

    private static var commands: String {
        let lines = Command.allCases.map { "    \("\($0.rawValue):\($0.brief)".inSingleQuotes)" }
        return function(
            "_postern_commands",
            "Completes the command.",
            ["local -a commands=("] + lines + [")", "_describe -t commands command commands"]
        )
    }

    private static var values: String {
        let arms = Flag.all.filter { !$0.candidates.isEmpty }.map { arm($0.name, $0.candidates) }
        return function("_postern_value", "Completes the value of a flag: FLAG", ["case $1 in"] + arms + ["esac"])
    }

    private static var arguments: String {
        let arms = Command.allCases.flatMap { command in
            ArgumentForms(command).places.map { place in
                let first = place.first.isEmpty ? [""] : place.first
                let keys = first.map { "\(command.rawValue):\(place.index):\($0)" }
                return arm(keys.joined(separator: "|"), place.candidates)
            }
        }
        return function(
            "_postern_argument",
            "Completes an argument of the command.",
            ["case $postern_command:${#postern_arguments}:${postern_arguments[1]} in"] + arms + ["esac"]
        )
    }

    private static func arm(_ pattern: String, _ candidates: Candidates) -> String {
        var steps = candidates.isList ? ["compset -P '*,'"] : []
        steps += candidates.starts.compactMap { start in
            start.paths.map { "if compset -P \(start.text.inSingleQuotes); then \(files($0)); return; fi" }
        }
        let (words, starts) = (candidates.words, candidates.starts.map(\.text))
        if !words.isEmpty { steps.append("compadd -- \(words.joined(separator: " "))") }
        if !starts.isEmpty { steps.append("compadd -S '' -- \(starts.joined(separator: " "))") }
        if let paths = candidates.paths { steps.append(files(paths)) }
        return "    \(pattern)) \(steps.joined(separator: "; ")) ;;"
    }

    private static func files(_ paths: Candidates.Paths) -> String { paths == .files ? "_files" : "_files -/" }

    /// The flags of the command, as `_arguments` takes them.
    private static var flags: String {
        let specifications = Flag.all.map { flag in
            let value = flag.value.map { ":\($0.escaped(":")): _postern_value \(flag.name)" } ?? ""
            let word = flag.word + (flag.value == nil ? "" : "=")
            let patterns = flag.commands.map(\.rawValue).joined(separator: "|")
            let text = "\(word)[\(flag.brief.escaped("[]:"))]\(value)".inSingleQuotes
            return "[[ $1 == (\(patterns)) ]] && postern_flags+=(\(text))"
        }
        return function("_postern_flags", "Sets postern_flags to the flags of a command: COMMAND", specifications)
    }

    private static func function(_ name: String, _ comment: String, _ lines: [String]) -> String {
        (["# \(comment)", "\(name)() {"] + lines.map { "    \($0)" } + ["}"]).joined(separator: "\n")
    }

    private static var main: String {
        let withValue = Flag.all.filter { $0.value != nil }.map(\.word).joined(separator: "|")
        return """
            _postern() {
                local postern_command='' postern_flag='' word
                local -a postern_arguments postern_flags
                for word in "${(@)words[2,CURRENT - 1]}"; do
                    if [[ -n $postern_flag ]]; then
                        postern_flag=''
                        continue
                    fi
                    case $word in
                    \(withValue)) postern_flag=$word ;;
                    -?*) ;;
                    *) [[ -n $postern_command ]] && postern_arguments+=("$word") || postern_command=$word ;;
                    esac
                done
                postern_flags=('--help[prints the help]' '--version[prints the version]')
                _postern_flags ${postern_command:-\(Command.default.rawValue)}
                _arguments $postern_flags '1: : _postern_commands' '*: : _postern_argument'
            }
            """
    }
}

extension String {
    /// The text with a backslash before each of some characters.
    fileprivate func escaped(_ characters: String) -> String {
        map { characters.contains($0) || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    }
}
