import Service
import Platform

/// What the program can do.
enum Command: String, CaseIterable {
    case serve, call, invite, outbox, stats, check, backup, export, `import`, merge, salvage, schema, help, version

    /// The commands that use a store.
    static let onStore: [Command] = [
        .serve, .call, .invite, .outbox, .stats, .check, .backup, .export, .import, .merge, .salvage,
    ]

    /// What stands behind the command's name.
    var words: String {
        switch self {
        case .call: "METHOD [JSON | NAME=VALUE … | -]"
        case .invite: "[list | revoke ID]"
        case .outbox: "list | show ID | deliver"
        case .backup, .salvage: "TO"
        case .import, .export: "[FILE]"
        case .help: "[COMMAND]"
        case .serve, .stats, .check, .merge, .schema, .version: ""
        }
    }

    /// Whether the words are paths, which need not be UTF-8.
    var takesPaths: Bool {
        switch self {
        case .backup, .salvage, .import, .export: true
        case .serve, .call, .invite, .outbox, .stats, .check, .merge, .schema, .help, .version: false
        }
    }

    /// How many words may stand there.
    var wordCount: ClosedRange<Int> {
        switch self {
        case .call: 1...Int.max
        case .outbox: 1...2
        case .backup, .salvage: 1...1
        case .help, .import, .export: 0...1
        case .invite: 0...2
        case .serve, .stats, .check, .merge, .schema, .version: 0...0
        }
    }

    var summary: String {
        switch self {
        case .serve: "answers JSON-RPC 2.0 requests on stdin and stdout; what is done where no command is named"
        case .call:
            "calls one method and prints its result; an error goes to stderr, with exit code 1; - reads the params from stdin,"
                + " a value @FILE or @- is read from there"
        case .invite: "creates a referral code of the sales API, or lists and revokes those that are good"
        case .outbox: "shows the mails of the outbox, codes and all, or delivers those that are due"
        case .stats: "counts what the store holds"
        case .check: "verifies every byte and every entry of the store; exit code 1 where something is wrong"
        case .backup: "writes a copy of the store to TO, beside those who use it"
        case .export:
            "writes all records, with their secrets, as lines of JSON to edit: to a new FILE that only you can read, or to stdout"
        case .import:
            "makes the store from an export in FILE or on stdin, or refuses all of it, naming line, property and rule"
        case .merge: "merges the journal into the sorted base now, which otherwise goes by itself"
        case .salvage: "saves what can be read of a damaged store to TO, and tells what cannot, with exit code 1"
        case .schema: "prints the contract as an OpenRPC document"
        case .help: "prints this, or what there is to know about one command"
        case .version: "prints the version"
        }
    }

    func run(_ options: Options) throws(CommandError) {
        // What a command reads of a store, or is given for it, may be a secret.
        if Self.onStore.contains(self) {
            ProcessMemory.forbidDumps()
            let log = Log(level: options.logLevel)
            for warning in EnvironmentNames.warnings { log.write(.warning, warning) }
        }
        switch self {
        case .help: print(try Help.text(about: options.words.first))
        case .version: print("postern \(Postern.version)")
        case .schema: print(OpenRPCDocument.text)
        case .serve: try serve(options)
        case .call: try callMethod(options)
        case .invite: try invite(options)
        case .outbox: try openOutbox(options)
        case .stats: try showStatistics(options)
        case .check: try check(options)
        case .backup: try backUp(options)
        case .export: try export(options)
        case .import: try importExport(options)
        case .merge: try merge(options)
        case .salvage: try salvage(options)
        }
    }
}
