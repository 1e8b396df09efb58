import Accounts
import JSON
import JSONRPC
import Platform
import Service
import Store

extension Command {
    /// Runs an operation of administration on accounts.
    ///
    /// Each is a call of a method `admin.accounts`, so the command line and a host get the same rules and the same
    /// events.
    func administer(_ options: Options) throws(CommandError) {
        guard let operation = AccountCommand(rawValue: options.words[0]) else {
            let hint = NearestName.hint(for: options.words[0], among: AccountCommand.allCases.map(\.rawValue))
            throw .usage("unknown command account \(options.words[0])\(hint)")
        }
        let words = Array(options.words.dropFirst())
        guard operation.wordCount.contains(words.count) else {
            throw .usage("postern account takes \(operation.usage)")
        }
        let params = try Self.params(of: operation, words, options)
        if operation == .export { return try exportAccount(words, options) }
        let administration = try AdministrationCalls(options)
        defer { administration.finish() }
        if operation == .list { return try Self.list(params, administration, options) }
        let result = try administration.call(operation.method, params)
        if options.printsJSON {
            print(result.text)
        } else if operation == .show {
            for line in result.lines { print(line) }
        } else {
            Self.printResult(result, of: operation, on: words[0])
        }
    }

    /// The params of an operation, from its arguments.
    private static func params(
        of operation: AccountCommand,
        _ words: [String],
        _ options: Options
    ) throws(CommandError) -> JSONValue {
        var params: [JSONValue.Property] = []
        if operation != .list, operation != .create, AccountReference(words[0]) == nil {
            throw .usage("an account is API:EMAIL or API:NUMBER, such as care:a@b.co, not \(words[0])")
        }
        switch operation {
        case .list:
            if let api = options.api { params.append(.init("api", .string(api.rawValue))) }
            if let search = options.search { params.append(.init("search", .string(search))) }
            return .object(params)
        case .create:
            guard let account = AccountReference(words[0]), account.email != nil else {
                throw .usage("postern account takes \(operation.usage), such as care:a@b.co, not \(words[0])")
            }
            guard !words.contains(where: { $0.hasPrefix("password=") && !$0.hasPrefix("password=@") }) else {
                throw .usage("other users can read a command line: write password=@- or password=@FILE")
            }
            // The email is stored as it is given, not in lower case.
            let email = String(words[0].dropFirst(account.realm.rawValue.count + 1))
            params = [.init("api", .string(account.realm.rawValue)), .init("email", .string(email))]
            params += try CallParams(words.dropFirst(), of: operation.method).value.object ?? []
        case .setPassword:
            let password = try TextFile.standardInput(prompt: "password").withoutLastLineEnd
            params = [.init("account", .string(words[0])), .init("password", .string(password))]
        case .setAppMetadata:
            let metadata = try CallParams(["app_metadata=\(words[1])"], of: operation.method).value["app_metadata"]
            params = [.init("account", .string(words[0])), .init("app_metadata", metadata ?? .null)]
        case .show, .disable, .enable, .unlock, .confirm, .endSessions, .delete, .export:
            params = [.init("account", .string(words[0]))]
        }
        if operation != .show, let actor = options.actor { params.append(.init("actor", .string(actor))) }
        return .object(params)
    }

    /// Prints all accounts, page after page.
    private static func list(
        _ params: JSONValue,
        _ administration: AdministrationCalls,
        _ options: Options
    ) throws(CommandError) {
        var after: [JSONValue.Property] = []
        repeat {
            let page = try administration.call(AccountCommand.list.method, .object((params.object ?? []) + after))
            for account in page["accounts"]?.array ?? [] {
                print(options.printsJSON ? account.text : account.columns)
            }
            after = page["next"].map { [.init("after", $0)] } ?? []
        } while !after.isEmpty
    }

    private static func printResult(_ result: JSONValue, of operation: AccountCommand, on account: String) {
        switch operation {
        case .endSessions: print("\(account)\tsessions ended: \(result["ended"]?.int ?? 0)")
        case .delete: print("\(account)\tdeleted")
        case .setAppMetadata: print(result.text)
        default: print(result.columns)
        }
    }

    /// Writes the data of an account to a new file or to stdout.
    private func exportAccount(_ words: [String], _ options: Options) throws(CommandError) {
        let wiring = try Wiring(options)
        defer { wiring.finish() }
        let file = words.count == 2 ? try OutputFile(creating: SystemString(words[1])) : .standardOutput
        do {
            let operation = try AccountOperation(
                account: .value(words[0]),
                actor: options.actor.map { .value($0) } ?? .absent
            )
            // The rule, and not the method like the other operations: a reply has a maximum length, because a host
            // holds it in memory, and no request can be repeated with less. The owner's data must be complete however
            // many they are.
            let export = try wiring.backend.apis[operation.realm].export(operation, bytesMax: .max)
            try wiring.backend.store.makeDurable()
            var writer = JSONWriter()
            export.write(to: &writer)
            writer.newline()
            try file.write(writer.bytes)
            try file.finish()
        } catch {
            file.discard()
            if let error = error as? CommandError { throw error }
            throw .failed((error as? AccountError)?.message ?? "\(error)")
        }
    }
}

extension JSONValue {
    /// The summary of an account as columns, separated by tabs: account, email, name, role and state.
    fileprivate var columns: String {
        let name = ["first_name", "last_name"].compactMap { self[$0]?.string }.filter { !$0.isEmpty }
        let state =
            self["disabled"] != nil ? "disabled" : self["email_confirmed"]?.bool == true ? "confirmed" : "unconfirmed"
        let texts: [String?] = [
            self["account"]?.string, self["email"]?.string, name.joined(separator: " "), self["role"]?.string ?? "-",
        ]
        return (texts.compactMap { $0 } + [state]).joined(separator: "\t")
    }

    /// The object as lines `name<tab>value`. A list has a line for each element.
    fileprivate var lines: [String] {
        (object ?? []).flatMap { property -> [String] in
            switch property.value {
            case .array(let elements): elements.map { "\(property.name)\t\($0.words)" }
            case .object where property.name == "account": property.value.lines
            case .object(let inner) where inner.contains(where: { $0.value.isNested }):
                inner.map { "\($0.name)\t\($0.value.text)" }
            default: ["\(property.name)\t\(property.value.words)"]
            }
        }
    }

    /// A string without quotes, the properties of an object, or any other value as JSON.
    private var words: String {
        switch self {
        case .string(let text): text
        case .object(let properties) where properties.allSatisfy { !$0.value.isNested }:
            properties.map { "\($0.name) \($0.value.words)" }.joined(separator: ", ")
        default: text
        }
    }

    private var isNested: Bool { object != nil || array != nil }
}
