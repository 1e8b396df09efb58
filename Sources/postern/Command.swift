import Service

/// What the program can do.
enum Command: String, CaseIterable {
    case serve, call, invite, outbox, schema, stats, help, version

    /// The commands that use a store.
    static let onStore: [Command] = [.serve, .call, .invite, .outbox, .stats]

    /// What stands behind the command's name.
    var words: String {
        switch self {
        case .call: "METHOD [JSON]"
        case .outbox: "list | show ID | deliver"
        case .help: "[COMMAND]"
        case .serve, .invite, .schema, .stats, .version: ""
        }
    }

    /// How many words may stand there.
    var wordCount: ClosedRange<Int> {
        switch self {
        case .call, .outbox: 1...2
        case .help: 0...1
        case .serve, .invite, .schema, .stats, .version: 0...0
        }
    }

    var summary: String {
        switch self {
        case .serve: "answers JSON-RPC 2.0 requests on stdin and stdout; what is done where no command is named"
        case .call: "calls one method and prints its result; an error goes to stderr, with exit code 1"
        case .invite: "gives out a referral code of the sales API"
        case .outbox: "shows the mails of the outbox, codes and all, or delivers those that are due"
        case .schema: "prints the contract as an OpenRPC document"
        case .stats: "counts what the store holds"
        case .help: "prints this, or what there is to know about one command"
        case .version: "prints the version"
        }
    }

    func run(_ options: Options) throws(CommandError) {
        switch self {
        case .help: print(try Help.text(about: options.words.first))
        case .version: print("postern \(Postern.version)")
        case .schema: print(OpenRPCDocument.text.description)
        case .serve: try serve(options)
        case .call: try callMethod(options)
        case .invite: try invite(options)
        case .outbox: try openOutbox(options)
        case .stats: try showStatistics(options)
        }
    }
}
