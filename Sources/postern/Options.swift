import DirectoryStore
import Accounts
import JSONRPC
import Mail
import Platform
import Service
import Store

/// The command and the settings that the command line and the environment give.
struct Options {
    private(set) var command = Command.default
    /// The arguments after the command's name, as text.
    var words: [String] { paths.map { $0.text ?? "\($0)" } }
    /// The same arguments as bytes, for commands that take paths.
    private(set) var paths: [SystemString] = []
    /// The flags of the servers of `test`, as the command line gives them.
    private(set) var serverFlags: [SystemString] = []
    /// How long a step of a transcript waits for a message.
    var replyTimeoutSeconds = 60

    /// The directory of the store, `:memory:`, or the URI of a database.
    var data = Options.defaultData
    /// The directory of a store that no flag names.
    static let defaultData: SystemString = "./postern-data"
    var location: StoreLocation { StoreLocation(data) }
    /// How many connections a server has to the database.
    var connections = 2 * Thread.processorCount
    /// How long a transaction in a database may take.
    var storeTimeoutSeconds = 10
    var preparesStatements = true
    /// The settings of a store in a directory.
    var store = StoreSettings()
    /// The order of replies; nil for the default of the framing.
    var order: ReplyOrder?
    /// The framing of messages; nil if neither the command line nor the environment gives it.
    var framing: Framing?
    var publicURL = "http://localhost"
    var mail = MailRoute.keep
    /// A file with the password for the mail server.
    var mailPasswordFile: SystemString?
    /// The sender of mails; nil for `postern@` and the host of the public URL.
    var mailSender: MailSender?
    /// The directory of mail templates; nil for the built-in templates.
    var mailTemplates: SystemString?
    /// The role of the inviter, for `invite`, or of the accounts that may sign in; nil for the default.
    var role: String?
    /// How another program asks, for `verify` and `helper`.
    var convention: ProgramConvention?
    /// Whether each line of Squid begins with a channel.
    var hasChannels = false
    /// Which methods are offered as MCP tools.
    var tools = ToolSelection.all
    /// How many accounts the code of `invite` may create.
    var uses = 1
    /// How long the code of `invite` is valid.
    var expiresSeconds = Accounts.Limits.invitationSeconds
    var confirmsEmail = true
    /// Whether accounts get notices, for example of a changed password.
    var sendsNotices = true
    var passwordPolicy = PasswordPolicy.Name.documented
    /// The minimum length of new passwords; nil for that of the policy.
    var passwordCharactersMin: Int?
    /// A file with further passwords that are refused.
    var passwordList: SystemString?
    /// How long the audit trail is.
    var auditBounds = AuditBounds()
    /// Whether the host gets the events of the audit trail.
    var pushesEvents = false
    /// Where these start; nil if the command line does not state it.
    var eventsAfter: EventStart?
    var eventStart: EventStart { eventsAfter ?? .end }
    /// The number of the last event that `audit` leaves out; nil to start with the earliest.
    var auditAfter: Int?
    /// The account whose events `audit` shows; nil for all.
    var auditAccount: AccountReference?
    /// Whether `audit` goes on with new events.
    var follows = false
    /// Whether `audit` prints JSON.
    var printsJSON = false
    /// The format of an export of another program, for `import`; nil for an export of a store.
    var importFormat: ExportFormat?
    var api: Realm?
    var importIsConfirmed: Bool?
    var skipsInvalidUsers = false
    var firebaseHash: SystemString?
    /// Whether the host is served the methods of administration.
    var isAdministered = false
    /// A text in the emails or names of the accounts that `account list` shows.
    var search: String?
    /// Who asks for an operation of administration.
    var actor: String?
    /// The path of the property of a result that `call` prints; nil for the whole result.
    var resultPath: String?
    /// Whether an unknown property of params is an error.
    var refusesUnknownParams = false
    var logLevel = Log.Level.warning
    var clock: Timestamp?
    var seed: Int?

    /// The settings of deterministic mode: the clock is fixed, and random values repeat.
    struct DeterministicMode {
        var start: Timestamp
        var seed: Int
    }

    /// The settings of deterministic mode; nil if it is off.
    var deterministicMode: DeterministicMode? {
        guard let clock, let seed else { return nil }
        return DeterministicMode(start: clock, seed: seed)
    }

    /// - Parameter arguments: the command line without the program's name.
    init(arguments: [SystemString]) throws(CommandError) {
        var given: [(flag: Flag, value: SystemString)] = []
        var rest = arguments[...]
        var isNamed = false
        while let word = rest.popFirst() {
            let argument = word.text ?? "\(word)"
            if argument == "--help" || argument == "-h" {
                paths = isNamed ? [SystemString(command.rawValue)] : []
                command = .help
                return
            } else if argument == "--version" {
                command = .version
                paths = []
                return
            } else if argument.hasPrefix("-"), argument.utf8.count > 1 {
                given.append(try Self.flag(word, from: &rest))
            } else if !isNamed {
                guard let named = Command.named(argument) else { throw .unknownCommand(argument) }
                command = named
                isNamed = true
            } else {
                paths.append(word)
            }
        }
        // A transcript's results must not depend on the environment, and it must not change the store of a server.
        if command == .test { data = ":memory:" } else { try readEnvironment() }
        for (flag, value) in given {
            guard flag.commands.contains(command) else {
                throw .flag(flag, isNoneOf: command)
            }
            try set(flag, to: value, as: "--\(flag.name)")
            if command == .test, flag.commands.contains(.serve) {
                serverFlags.append(SystemString(bytes: Array("--\(flag.name)=".utf8) + value.bytes))
            }
        }
        try check()
    }

    /// The flag in an argument and its value: the text after `=`, or the next argument.
    private static func flag(
        _ argument: SystemString,
        from rest: inout ArraySlice<SystemString>
    ) throws(CommandError) -> (Flag, SystemString) {
        let parts = argument.bytes.dropFirst(2)
            .split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            .map { SystemString(bytes: $0) }
        guard argument.bytes.starts(with: "--".utf8), let flag = Flag.named(parts[0].description) else {
            throw .unknownFlag(argument.description)
        }
        let attached = parts.count == 2 ? parts[1] : flag.value == nil ? "1" : nil
        guard let value = attached ?? rest.popFirst(), !value.isEmpty else {
            throw .usage("--\(flag.name) needs a value")
        }
        return (flag, value)
    }

    private mutating func readEnvironment() throws(CommandError) {
        // Most environments have none. A search for each flag's variable takes more instructions than one for all.
        guard EnvironmentNames.isUsed else { return }
        for flag in Flag.all where flag.commands.contains(command) && !flag.isOnlyGiven {
            guard let value = ProcessEnvironment.value(of: flag.variable), !value.isEmpty else { continue }
            try set(flag, to: value, as: flag.variable)
        }
        // The environment of a server also applies to the commands beside it. They leave their mails to the server.
        if mail == .host, command != .serve { mail = .keep }
    }

    private mutating func set(_ flag: Flag, to value: SystemString, as name: String) throws(CommandError) {
        guard flag.take(&self, value) else { throw .value("\(value)", isNoneOf: flag, givenAs: name) }
    }

    private func check() throws(CommandError) {
        guard command.wordCount.contains(words.count) else {
            throw .usage("postern \(command.rawValue) takes \(command.words.isEmpty ? "only flags" : command.words)")
        }
        guard !paths.contains(where: \.isEmpty) else { throw .usage("an argument is empty") }
        if !command.takesPaths, let word = paths.first(where: { $0.text == nil }) {
            throw .usage("\(word) is not UTF-8")
        }
        _ = try userSource
        try checkSignIn()
        guard mail != .host || command == .serve || command == .test else {
            throw .usage(
                "--mail host is only for postern serve: postern \(command.rawValue) has no host that answers requests"
            )
        }
        guard pushesEvents || eventsAfter == nil else { throw .usage("--events-after needs --events") }
        guard clock != nil || seed != nil else { return }
        guard clock != nil, seed != nil else { throw .usage("--clock and --seed must be used together") }
        if case .directory = location { throw .usage("--clock and --seed need --data :memory:") }
        guard mail == .keep else { throw .usage("deterministic mode (--clock and --seed) needs --mail keep") }
    }

    /// The users that `import` adds; nil if it imports an export of a store.
    var userSource: UserSource? {
        get throws(CommandError) {
            guard let importFormat else {
                let hasAPI = api != nil && command == .import
                guard !hasAPI, importIsConfirmed == nil, !skipsInvalidUsers, firebaseHash == nil else {
                    throw .usage("--api, --confirmed, --skip-invalid and --firebase-hash need --from")
                }
                return nil
            }
            guard let api, let importIsConfirmed, paths.count == 1 else {
                throw .usage("--from needs --api, --confirmed and FILE")
            }
            guard firebaseHash == nil || importFormat == .firebase else {
                throw .usage("--firebase-hash needs --from firebase")
            }
            return UserSource(
                format: importFormat,
                api: api,
                isConfirmed: importIsConfirmed,
                skipsInvalid: skipsInvalidUsers,
                firebaseHash: firebaseHash
            )
        }
    }
}
