import Service
import Platform

/// A command of the program.
enum Command: String, CaseIterable {
    case serve, call, test, verify, helper, account, invite, outbox, mail, audit, stats, check, backup, export, `import`
    case compact, salvage, schema, completions, man, help, version

    /// The command of a command line without one.
    static let `default`: Command = .serve

    /// The commands that use a store.
    static let onStore: [Command] = [
        .serve, .call, .verify, .helper, .account, .invite, .outbox, .audit, .stats, .check, .backup, .export, .import,
        .compact, .salvage,
    ]

    /// The command with a name, or with its name in an earlier version; nil for an unknown name.
    static func named(_ name: String) -> Command? {
        name == "merge" ? .compact : Command(rawValue: name)
    }

    /// The arguments after the command's name, as the help shows them.
    var words: String {
        switch self {
        case .call: "METHOD [JSON | NAME=VALUE … | -]"
        case .test: "TRANSCRIPT …"
        case .verify: "[FILE]"
        case .account: AccountCommand.words
        case .invite: "[list | revoke ID]"
        case .outbox: "list | show ID | retry ID | deliver"
        case .mail: "test ADDRESS"
        case .backup, .salvage: "TO"
        case .import, .export: "[FILE]"
        case .completions: Shell.allCases.map(\.rawValue).joined(separator: " | ")
        case .help: "[COMMAND]"
        case .serve, .helper, .audit, .stats, .check, .compact, .schema, .man, .version: ""
        }
    }

    /// Whether the arguments are paths, which need not be UTF-8.
    var takesPaths: Bool {
        switch self {
        case .test, .verify, .backup, .salvage, .import, .export: true
        case .serve, .call, .helper, .account, .invite, .outbox, .mail, .audit, .stats, .check, .compact, .schema,
            .completions, .man, .help, .version:
            false
        }
    }

    /// How many arguments the command takes.
    var wordCount: ClosedRange<Int> {
        switch self {
        case .call, .test, .account: 1...Int.max
        case .outbox: 1...2
        case .mail: 2...2
        case .backup, .salvage, .completions: 1...1
        case .help, .verify, .import, .export: 0...1
        case .invite: 0...2
        case .serve, .helper, .audit, .stats, .check, .compact, .schema, .man, .version: 0...0
        }
    }

    var summary: String {
        switch self {
        case .serve: "reads JSON-RPC 2.0 requests from stdin and writes replies to stdout; the default command"
        case .call:
            "calls one method and prints its result, or the error as JSON on stderr with exit code 1; - reads the params from "
                + "stdin, a value @FILE or @- reads a file or stdin"
        case .test:
            "plays transcripts, files of requests and expected replies, each against a new server in memory, and prints the "
                + "results as TAP; exit code 1 if one fails; - reads stdin; no environment variable applies"
        case .verify:
            "answers another program whether a person may sign in: exit code 0 yes, 1 no, 111 later; reads name and password as "
                + "the program's convention, --as, passes them; FILE is for openvpn"
        case .helper:
            "the same for programs that keep a helper running; it reads requests from stdin and writes replies to stdout"
        case .account:
            "administers accounts: ACCOUNT is API:EMAIL or API:NUMBER, such as care:a@b.co; set-password reads the password "
                + "from stdin, or without echo from the terminal"
        case .invite: "creates a referral code of the sales API, or lists or revokes valid codes"
        case .outbox:
            "lists or shows the mails of the outbox, codes included, makes a mail due now, or delivers the mails that are due"
        case .mail: "sends a mail to ADDRESS, as --mail says, and shows what the mail server or the program answers"
        case .audit: "prints the events of the audit trail: who signed in, what was changed, which mails were sent"
        case .stats: "prints the size of the store and the number of records"
        case .check:
            "verifies every record and index entry of the store, and every byte of its files; exit code 1 if something is wrong"
        case .backup: "writes a consistent copy of the store to the directory TO while other processes use it"
        case .export:
            "writes all records, secrets included, as lines of JSON: to a new FILE that only you can read, or to stdout"
        case .import:
            "creates the store from an export in FILE or on stdin; if one record breaks a rule, imports nothing and "
                + "reports line, property and rule; with --from, adds the users of another program to a store"
        case .compact: "runs compaction now, which otherwise starts automatically; its earlier name, merge, works too"
        case .salvage:
            "copies the readable records of a damaged store to TO and lists the unreadable ones; exit code 1 if there "
                + "are any"
        case .schema: "prints the contract as an OpenRPC document"
        case .completions: "prints the completions of commands, flags and methods for a shell"
        case .man: "prints the man page"
        case .help: "prints this help, or the help of one command"
        case .version: "prints the version"
        }
    }

    func run(_ options: Options) throws(CommandError) {
        // The memory of these commands may contain secrets from the store or the command line.
        if Self.onStore.contains(self) {
            ProcessMemory.forbidDumps()
            let log = Log(level: options.logLevel)
            for warning in EnvironmentNames.warnings { log.write(.warning, warning) }
        }
        switch self {
        case .help: print(try Help.text(about: options.words.first))
        case .version: print("postern \(Postern.version)")
        case .schema: print(OpenRPCDocument.text)
        case .completions: try printCompletions(options)
        case .man: printManPage()
        case .serve: try serve(options)
        case .call: try callMethod(options)
        case .test: try test(options)
        case .verify: try verify(options)
        case .helper: try answerRequests(options)
        case .account: try administer(options)
        case .invite: try invite(options)
        case .outbox: try openOutbox(options)
        case .mail: try testMail(options)
        case .audit: try showAudit(options)
        case .stats: try showStatistics(options)
        case .check: try check(options)
        case .backup: try backUp(options)
        case .export: try export(options)
        case .import:
            if let source = try options.userSource {
                try importUsers(options, from: source)
            } else {
                try importExport(options)
            }
        case .compact: try compact(options)
        case .salvage: try salvage(options)
        }
    }
}
