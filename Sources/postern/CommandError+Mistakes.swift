import JSON
import Platform
import Service
import Store

/// The errors of a wrong command line. Each is one line that says what to write instead.
extension CommandError {
    /// An argument that begins with a dash but is not a flag.
    static func unknownFlag(_ argument: String) -> CommandError {
        let name = argument.drop { $0 == "-" }.prefix { $0 != "=" }.lowercased()
        if ["port", "host", "listen", "bind", "address", "socket"].contains(name) {
            return .usage(
                "unknown flag \(argument): postern has no port, requests come on stdin and replies go to stdout"
            )
        }
        let hint = NearestName.hint(for: "--\(name)", among: Flag.all.map { "--\($0.name)" })
        return .usage("unknown flag \(argument)\(hint)")
    }

    /// A first word that is not a command.
    static func unknownCommand(_ word: String) -> CommandError {
        // It may have a password.
        if StoreLocation(SystemString(word)).address != nil {
            return .usage("the address of a database is no command; write --data before it")
        }
        if word.contains("/") { return .usage("unknown command \(word); for a data directory, write --data \(word)") }
        if Method.allCases.contains(where: { $0.name.description == word }) {
            return .usage("unknown command \(word); to call a method, write postern call \(word)")
        }
        let hint = NearestName.hint(for: word, among: Command.allCases.map(\.rawValue))
        return .usage("unknown command \(word)\(hint)")
    }

    /// A flag of another command.
    static func flag(_ flag: Flag, isNoneOf command: Command) -> CommandError {
        let others = flag.commands.map { "postern \($0.rawValue)" }.joined(separator: ", ")
        return .usage("--\(flag.name) is not a flag of postern \(command.rawValue), but of \(others)")
    }

    /// A value that is not valid for a flag.
    ///
    /// - Parameter name: the flag or the environment variable, as it was given.
    static func value(_ value: String, isNoneOf flag: Flag, givenAs name: String) -> CommandError {
        let hint = flag.hint(value).map { ": \($0)" } ?? ""
        return .usage("\(name) takes \(flag.value ?? "0|1"), not \(withoutPassword(value))\(hint)")
    }

    /// A value in which the password of a URL is replaced: stderr may be kept in a log.
    private static func withoutPassword(_ value: String) -> String {
        guard let scheme = (value.firstRange(of: "://") ?? value.firstRange(of: ":"))?.upperBound,
            let end = value.lastIndex(of: "@"), end >= scheme,
            let colon = value[scheme..<end].firstIndex(of: ":")
        else { return value }
        return "\(value[...colon])[…]\(value[end...])"
    }

    /// A store that cannot be opened or used.
    static func store(_ error: StoreError) -> CommandError {
        switch error {
        case .noStore: .failed("\(error); give its directory with --data, or create a store with postern serve")
        case .notAStore: .failed("\(error); change --data")
        default: .failed("\(error)")
        }
    }
}
