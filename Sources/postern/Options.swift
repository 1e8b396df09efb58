import Accounts
import Glibc
import JSONRPC

/// What the command line and the environment ask for.
struct Options {
    /// What the program can do.
    enum Command: String {
        case serve, call, invite, outbox, schema, stats, help, version
    }

    /// A rehearsal: time stands still and random values repeat.
    struct Rehearsal {
        var start: Timestamp
        var seed: Int
    }

    private(set) var command = Command.serve
    /// The directory of the store, or `:memory:`.
    private(set) var data = "./postern-data"
    private(set) var order = ReplyOrder.inOrder
    private(set) var publicURL = "http://localhost"
    /// The role with which `invite` invites.
    private(set) var role = SalesRole.admin
    private(set) var confirmsEmail = true
    private(set) var rehearsal: Rehearsal?
    /// What stands behind the command.
    private(set) var words: [String] = []

    private var clock: Timestamp?
    private var seed: Int?

    static let help = """
        Usage: postern [serve] [flags]        serves JSON-RPC 2.0 lines on stdin and stdout
               postern call METHOD [JSON]     calls one method and prints its result
               postern invite [--role ROLE]   gives out a referral code (ROLE: customer, salesperson, admin)
               postern outbox list|show ID    shows the mails that wait
               postern schema                 prints the OpenRPC document
               postern stats                  counts what the store holds

        Flags, each also read from the environment as POSTERN_<FLAG>:
          --data DIR|:memory:            where the data live (./postern-data)
          --replies in-order|as-completed  how replies are ordered (in-order)
          --public-url URL               what links in mails start with (http://localhost)
          --no-email-confirmation        lets operators sign in without a confirmed email
          --clock TIME --seed NUMBER     a rehearsal in memory: times, ids and tokens repeat
          --help, --version
        """

    init(arguments: [String]) throws(CommandError) {
        try readEnvironment()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" {
                command = .help
                return
            } else if argument == "--version" {
                command = .version
                return
            } else if argument == "--no-email-confirmation" {
                confirmsEmail = false
            } else if argument.hasPrefix("--") {
                let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1)
                let value = parts.count == 2 ? String(parts[1]) : rest.popFirst()
                guard let name = parts.first, Self.names.contains(String(name)) else {
                    throw .usage("unknown flag \(argument)")
                }
                guard let value else { throw .usage("\(argument) needs a value") }
                try set(String(name), to: value)
            } else if words.isEmpty, command == .serve, let command = Command(rawValue: argument) {
                self.command = command
            } else {
                words.append(argument)
            }
        }
        try finish()
    }

    private static let names = ["data", "replies", "public-url", "clock", "seed", "role"]

    private mutating func readEnvironment() throws(CommandError) {
        for name in Self.names {
            let variable = "POSTERN_" + name.uppercased().replacing("-", with: "_")
            if let value = getenv(variable) { try set(name, to: String(cString: value)) }
        }
        if let value = getenv("POSTERN_NO_EMAIL_CONFIRMATION") { confirmsEmail = String(cString: value) != "1" }
    }

    private mutating func set(_ name: String, to value: String) throws(CommandError) {
        switch name {
        case "data": data = value
        case "role":
            guard let role = SalesRole(rawValue: value) else {
                throw .usage("--role takes customer, salesperson or admin, not \(value)")
            }
            self.role = role
        case "public-url": publicURL = value.hasSuffix("/") ? String(value.dropLast()) : value
        case "replies":
            guard let order = ReplyOrder(rawValue: value) else {
                throw .usage("--replies takes in-order or as-completed, not \(value)")
            }
            self.order = order
        case "clock":
            guard let clock = Timestamp(value) else {
                throw .usage("--clock takes a time such as 2016-02-24T22:07:52.371513Z, not \(value)")
            }
            self.clock = clock
        default:
            guard let seed = Int(value) else { throw .usage("--seed takes a whole number, not \(value)") }
            self.seed = seed
        }
    }

    private mutating func finish() throws(CommandError) {
        guard !data.isEmpty else { throw .usage("--data needs a directory or :memory:") }
        if command == .serve, let word = words.first { throw .usage("unknown command \(word)") }
        guard clock != nil || seed != nil else { return }
        guard let clock, let seed else { throw .usage("--clock and --seed go together") }
        guard data == ":memory:" else { throw .usage("--clock and --seed are for --data :memory: alone") }
        rehearsal = Rehearsal(start: clock, seed: seed)
    }
}
