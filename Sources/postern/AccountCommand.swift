/// The operations of `postern account`: the methods `admin.accounts`, each by the name of its method.
enum AccountCommand: String, CaseIterable {
    case list, show, create, disable, enable, unlock, confirm
    case endSessions = "end-sessions", setPassword = "set-password", setAppMetadata = "set-app-metadata"
    case delete, export

    /// The name of its method.
    var method: String {
        "admin.accounts." + rawValue.map { $0 == "-" ? "_" : "\($0)" }.joined()
    }

    /// The arguments after its name, as the help shows them.
    private var arguments: String {
        switch self {
        case .list: ""
        case .create: "API:EMAIL [NAME=VALUE …]"
        case .setAppMetadata: "ACCOUNT JSON"
        case .export: "ACCOUNT [FILE]"
        case .show, .disable, .enable, .unlock, .confirm, .endSessions, .setPassword, .delete: "ACCOUNT"
        }
    }

    /// How many arguments it takes.
    var wordCount: ClosedRange<Int> {
        switch self {
        case .list: 0...0
        case .create: 1...Int.max
        case .setAppMetadata: 2...2
        case .export: 1...2
        case .show, .disable, .enable, .unlock, .confirm, .endSessions, .setPassword, .delete: 1...1
        }
    }

    /// The name with the arguments: `show ACCOUNT`.
    var usage: String { arguments.isEmpty ? rawValue : "\(rawValue) \(arguments)" }

    /// All of them, as the help of the command shows them.
    static var words: String { allCases.map(\.usage).joined(separator: " | ") }
}
