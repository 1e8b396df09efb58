/// A shell whose completion `postern completions` prints.
enum Shell: String, CaseIterable {
    case bash, zsh, fish

    /// The text of its script.
    var completions: String {
        switch self {
        case .bash: BashCompletions().text
        case .zsh: ZshCompletions().text
        case .fish: FishCompletions().text
        }
    }

    /// The comment at the start of the script.
    var title: String {
        "# Completions of postern \(Postern.version) for \(rawValue), printed by postern completions \(rawValue)."
    }
}

extension Command {
    /// Prints the completions of a shell.
    func printCompletions(_ options: Options) throws(CommandError) {
        guard let shell = Shell(rawValue: options.words[0]) else { throw .usage("postern completions takes \(words)") }
        print(shell.completions)
    }
}

extension Flag {
    /// `--data`
    var word: String { "--\(name)" }

    /// The candidates for its value.
    var candidates: Candidates { Candidates(placeholder: value ?? "") }

    /// The start of the summary that fits into one line of a menu.
    var brief: String { summary.brief }
}

extension Command {
    /// Its flags.
    var flags: [Flag] { Flag.all.filter { $0.commands.contains(self) } }

    /// The start of the summary that fits into one line of a menu.
    var brief: String { summary.brief }
}

extension String {
    /// The text before the first part in brackets or the first semicolon.
    fileprivate var brief: String {
        let ends = ["; ", " ("].compactMap { firstRange(of: $0)?.lowerBound }
        return String(self[..<(ends.min() ?? endIndex)])
    }

    /// The text as one word of bash and zsh: in single quotes.
    var inSingleQuotes: String {
        "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
