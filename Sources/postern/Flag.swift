import DirectoryStore
import Accounts
import JSONRPC
import Platform
import Service
import Store

/// A flag of the command line. An environment variable can also set it, unless it is `onlyGiven`.
struct Flag: Sendable {
    let name: String
    /// The placeholder of the value in the help and in errors, such as `SECONDS`; nil for a flag without a value.
    let value: String?
    let summary: String
    /// The commands that accept the flag. `test` accepts those of the server that it starts.
    let commands: [Command]
    /// The hint in the error for an invalid value; nil for no hint.
    let hint: @Sendable (String) -> String?
    /// Whether only the command line sets the flag, and no environment variable: a flag that changes what comes over
    /// the pipe must be given by the program that reads it, and not by the environment that this inherited.
    private(set) var isOnlyGiven = false
    /// Stores a value in the options. Returns false if the value is not valid.
    private(set) var take: @Sendable (inout Options, SystemString) -> Bool

    /// A flag with a text value. A value that is not UTF-8 is not valid.
    init(
        name: String,
        value: String?,
        summary: String,
        commands: [Command],
        hint: @escaping @Sendable (String) -> String? = { _ in nil },
        set: @escaping @Sendable (inout Options, String) -> Bool
    ) {
        (self.name, self.value, self.summary, self.hint) = (name, value, summary, hint)
        self.commands = commands.contains(.serve) ? commands + [.test] : commands
        take = { options, value in value.text.map { set(&options, $0) } ?? false }
    }

    /// A flag whose value is or contains a path, which need not be UTF-8.
    static func withPath(
        name: String,
        value: String,
        summary: String,
        commands: [Command],
        hint: @escaping @Sendable (String) -> String? = { _ in nil },
        take: @escaping @Sendable (inout Options, SystemString) -> Bool
    ) -> Flag {
        var flag = Flag(name: name, value: value, summary: summary, commands: commands, hint: hint) { _, _ in false }
        flag.take = take
        return flag
    }

    /// A flag without a value. Its environment variable is `1`, `true` or `yes`, or `0`, `false` or `no`.
    static func toggle(
        name: String,
        summary: String,
        commands: [Command],
        set: @escaping @Sendable (inout Options, Bool) -> Void
    ) -> Flag {
        Flag(name: name, value: nil, summary: summary, commands: commands) { options, text in
            switch text {
            case "1", "true", "yes": set(&options, true)
            case "0", "false", "no": set(&options, false)
            default: return false
            }
            return true
        }
    }

    /// The flag, if no environment variable sets it.
    var onlyGiven: Flag {
        var flag = self
        flag.isOnlyGiven = true
        return flag
    }

    /// The environment variable: `POSTERN_PUBLIC_URL` for `--public-url`.
    var variable: String {
        "POSTERN_"
            + String(
                decoding: name.uppercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 },
                as: UTF8.self
            )
    }

    static func named(_ name: String) -> Flag? {
        // Most command lines have only general flags, and making a table takes a thousand instructions for each flag.
        for table in [
            { general }, { mail }, { passwords }, { audit }, { administration }, { imports }, { postgres }, { signIn },
        ] {
            if let flag = table().first(where: { $0.name == name }) { return flag }
        }
        return nil
    }

    static let all = general + mail + passwords + audit + administration + imports + postgres + signIn

    /// The flags of several commands, and of commands with few flags.
    private static let general: [Flag] = [
        .withPath(
            name: "data",
            value: "DIR|:memory:|URI",
            summary: "the directory of the store, :memory: for a store in memory, or the postgres:// URI of a database "
                + "(./postern-data)",
            commands: Command.onStore
        ) { options, text in
            options.data = text
            return true
        },
        .toggle(
            name: "trust-locks",
            summary: "accepts a directory on NFS, SMB or FUSE, where locks may not exclude other processes",
            commands: Command.onStore
        ) { options, isOn in options.store.trustsLocks = isOn },
        Flag(
            name: "lock-wait",
            value: "SECONDS",
            summary: "how long to wait in total for another process that holds the directory lock (5)",
            commands: Command.onStore
        ) { options, text in
            guard let seconds = Int(text), (0...3_600).contains(seconds) else { return false }
            options.store.lockWaitMilliseconds = seconds * 1_000
            return true
        },
        Flag(
            name: "replies",
            value: "in-order|as-completed",
            summary: "the order of replies (in-order; with header framing as-completed)",
            commands: [.serve]
        ) { options, text in
            options.order = ReplyOrder(rawValue: text)
            return options.order != nil
        },
        Flag(
            name: "framing",
            value: "auto|line|header",
            summary: "how messages are delimited (auto: detected from the first line)",
            commands: [.serve]
        ) { options, text in
            options.framing = Framing(rawValue: text)
            return options.framing != nil
        },
        Flag(
            name: "tools",
            value: ToolSelection.form,
            summary: "which methods are offered as MCP tools (all)",
            commands: [.serve]
        ) { options, text in
            guard let tools = ToolSelection(text) else { return false }
            options.tools = tools
            return true
        },
        Flag(
            name: "reply-timeout",
            value: "SECONDS",
            summary: "how long a step of a transcript waits for a message (60)",
            commands: [.test]
        ) { options, text in
            guard let seconds = Int(text), (1...3_600).contains(seconds) else { return false }
            options.replyTimeoutSeconds = seconds
            return true
        }.onlyGiven,
        Flag(
            name: "result",
            value: "PROPERTY",
            summary: "prints only this property of the result, such as user.email, and a string without quotes",
            commands: [.call]
        ) { options, text in
            options.resultPath = text
            return true
        }.onlyGiven,
        .toggle(
            name: "no-email-confirmation",
            summary: "lets operators sign in without a confirmed email",
            commands: [.serve, .call, .account]
        ) { options, isOn in options.confirmsEmail = !isOn },
        .toggle(
            name: "strict-params",
            summary: "refuses requests with unknown properties in params",
            commands: [.serve, .call]
        ) { options, isOn in options.refusesUnknownParams = isOn },
        Flag(
            name: "role",
            value: "ROLE",
            summary: "invite: the role of the inviter, which decides which accounts the code may create (admin); "
                + "verify, helper: only accounts with the role may sign in (any)",
            commands: [.invite, .verify, .helper]
        ) { options, text in
            options.role = text
            return true
        },
        Flag(
            name: "uses",
            value: "NUMBER",
            summary: "how many accounts the code may create (1)",
            commands: [.invite]
        ) { options, text in
            guard let uses = Int(text), Accounts.Limits.invitationUses.contains(uses) else { return false }
            options.uses = uses
            return true
        },
        Flag(
            name: "expires",
            value: "NUMBER(m|h|d)",
            summary:
                "how long the code is valid: minutes, hours or days (\(Accounts.Limits.invitationSeconds / 86_400)d)",
            commands: [.invite]
        ) { options, text in
            let units: [Character: Int] = ["m": 60, "h": 3_600, "d": 86_400]
            guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()),
                (1...Accounts.Limits.invitationSecondsMax / unit).contains(count)
            else { return false }
            options.expiresSeconds = count * unit
            return true
        },
        Flag(
            name: "clock",
            value: "TIME",
            summary: "deterministic mode, with --data :memory: and --seed: fixes the clock at TIME, such as "
                + "2016-02-24T22:07:52.371513Z",
            commands: [.serve, .call],
            hint: { text in
                Timestamp(text) == nil
                    ? "a date and a time with microseconds in UTC, such as 2016-02-24T22:07:52.371513Z"
                    : "a time from 1970 to \(DeterministicTime.latest)"
            }
        ) { options, text in
            options.clock = Timestamp(text).flatMap {
                (0...DeterministicTime.latest.seconds).contains($0.seconds) ? $0 : nil
            }
            return options.clock != nil
        },
        Flag(
            name: "seed",
            value: "NUMBER",
            summary: "deterministic mode, with --clock: the seed of ids and tokens",
            commands: [.serve, .call]
        ) { options, text in
            options.seed = Int(text)
            return options.seed != nil
        },
        Flag(
            name: "log-level",
            value: Log.Level.allCases.map(\.rawValue).joined(separator: "|"),
            summary: "the least severe level that is logged on stderr (warning)",
            commands: Command.onStore
        ) { options, text in
            guard let level = Log.Level(rawValue: text) else { return false }
            options.logLevel = level
            return true
        },
    ]
}
