/// The completion script for fish.
struct FishCompletions {
    let text: String

    init() {
        let commands = Command.allCases.map { command in
            "complete -c postern -n '__postern_at :0:' -a \(command.rawValue) -d \(command.brief.inFishQuotes)"
        }
        let places = Command.allCases.flatMap { command in
            ArgumentForms(command).places.flatMap { Self.lines(on: $0, of: command) }
        }
        text =
            ([Shell.fish.title, "", Self.helpers, "", "complete -c postern -f"] + commands + places
            + [
                "complete -c postern -l help -s h -d 'prints the help'",
                "complete -c postern -l version -d 'prints the version'",
            ] + Flag.all.map(Self.line)).joined(separator: "\n")
    }

    private static func lines(on place: ArgumentForms.Place, of command: Command) -> [String] {
        let first = place.first.isEmpty ? [""] : place.first
        let keys = first.map { "\(command.rawValue):\(place.index):\($0)" }.joined(separator: " ")
        return arguments(place.candidates).map { "complete -c postern -n '__postern_at \(keys)' \($0)" }
    }

    private static func line(on flag: Flag) -> String {
        let commands = flag.commands.map(\.rawValue).joined(separator: " ")
        let value = flag.value == nil ? "" : " " + (["-x"] + arguments(flag.candidates)).joined(separator: " ")
        return "complete -c postern -n '__postern_is \(commands)' -l \(flag.name)\(value) -d \(flag.brief.inFishQuotes)"
    }

    /// The options of `complete` for candidates.
    private static func arguments(_ candidates: Candidates) -> [String] {
        let words = (candidates.words + candidates.starts.map(\.text)).joined(separator: " ")
        var lists = words.isEmpty ? [] : [candidates.isList ? "(__fish_append , \(words))" : words]
        if let paths = candidates.paths { lists.append("(__postern_paths \(kind(paths)))") }
        lists += candidates.starts.compactMap { start in
            start.paths.map { "(__postern_paths \(kind($0)) \(start.text))" }
        }
        return lists.isEmpty ? [] : ["-a \(lists.joined(separator: " ").inFishQuotes)"]
    }

    private static func kind(_ paths: Candidates.Paths) -> String { paths == .files ? "path" : "directories" }

    private static var helpers: String {
        let withValue = Flag.all.filter { $0.value != nil }.map(\.word).joined(separator: " ")
        return """
            # Prints the command and its arguments before the cursor, without the flags and their values.
            function __postern_words
                set -l flag
                for word in (commandline -opc)[2..-1]
                    if set -q flag[1]
                        set -e flag
                    else if contains -- $word \(withValue)
                        set flag $word
                    else if not string match -qr -- '^-.' $word
                        echo -- $word
                    end
                end
            end

            # Whether the command is one of some: COMMAND …
            function __postern_is
                set -l words (__postern_words) \(Command.default.rawValue)
                contains -- $words[1] $argv
            end

            # Whether the cursor is at one of some arguments: COMMAND:NUMBER OF ARGUMENTS BEFORE IT:FIRST ARGUMENT …
            function __postern_at
                set -l words (__postern_words)
                set -l count (math max 0, (count $words) - 1)
                contains -- "$words[1]:$count:$words[2]" $argv
            end

            # Prints paths of a kind that continue the current word: KIND [START OF THE WORD]
            function __postern_paths
                set -l value (commandline -ct | string replace -r -- '^--[^=]*=' '')
                set -l start "$argv[2]"
                string match -q -- "$start*" "$value"; or return
                set -l rest (string sub -s (math (string length -- "$start") + 1) -- "$value")
                for path in (__fish_complete_$argv[1] "$rest" '')
                    echo -- $start$path
                end
            end
            """
    }
}

extension String {
    /// The text as one word of fish, where a backslash escapes a quote within quotes.
    fileprivate var inFishQuotes: String {
        "'" + map { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "'"
    }
}
