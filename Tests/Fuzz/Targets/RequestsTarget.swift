import CLibrary

@testable import Accounts
@testable import JSON
@testable import JSONRPC
@testable import Service
@testable import DirectoryStore
@testable import Store

/// Decoding params, and the rules up to password hashing: calls methods, and tools of the Model Context Protocol,
/// with arbitrary params. The store has accounts. An input contains their credentials as `@session@`, `@token@`,
/// `@key@` and so on. Every input starts from the same store.
///
/// An input is a line with the method's name, followed by the params.
enum RequestsTarget {
    // libFuzzer runs its inputs one after another on one thread.
    nonisolated(unsafe) private static let subject = must { try Subject() }

    static func run(_ input: [UInt8]) {
        guard let end = input.firstIndex(of: 0x0A) else { return }
        let name = String(decoding: input[..<end], as: UTF8.self)
        guard Method.allCases.contains(where: { $0.name.description == name }) else { return }
        let params = subject.filled(input[(end + 1)...])
        // The connection passes only params that are valid JSON and an object or an array.
        guard let first = params.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
            let value = try? JSONValue(parsing: params)
        else { return }
        subject.call(name, params)
        guard value.object != nil else { return }
        let tool = name.replacing(".", with: "_")
        subject.call("tools/call", Array("{\"name\":\"\(tool)\",\"arguments\":".utf8) + params + [UInt8(ascii: "}")])
    }
}

/// A service with a store that has an account of each kind.
private final class Subject {
    private let service: Service
    private var secrets: [(name: String, value: String)] = []
    /// The slugs that each method declares.
    private let declared: [String: Set<String>]

    private final class Composer: MailComposer {
        let domain = "x.co"

        func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText {
            MailText(subject: "x", text: secret)
        }
    }

    init() throws {
        declared = try Self.declaredSlugs()
        let store = Store(engine: LocalEngine())
        let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
        func service(hashesElsewhere: Bool) -> Service {
            let backend = Backend(
                store: store,
                time: time,
                random: DeterministicRandom(seed: 7),
                composer: Composer(),
                settings: AccountSettings(operatorsConfirmEmail: false)
            )
            let system = SystemHandlers(
                version: "0",
                storeKind: "memory",
                deterministicMode: SystemHandlers.DeterministicMode(time: time, backend: backend)
            )
            return Service(backend: backend, system: system, hashesElsewhere: hashesElsewhere) { _ in }
        }
        self.service = service(hashesElsewhere: true)
        // A service that hashes synchronously creates the accounts.
        try seed(service(hashesElsewhere: false))
        let initialize = Array(#"{"protocolVersion":"2025-11-25","capabilities":{}}"#.utf8)
        _ = outcome(of: "initialize", initialize, by: self.service)
    }

    /// The params with the names of secrets replaced by their values.
    func filled(_ params: ArraySlice<UInt8>) -> [UInt8] {
        guard params.contains(UInt8(ascii: "@")) else { return Array(params) }
        var text = params
        for secret in secrets { text.replace(secret.name.utf8, with: secret.value.utf8) }
        return Array(text)
    }

    /// Executes a request, checks its outcome, and rolls it back.
    func call(_ method: String, _ params: [UInt8]) {
        let outcome = outcome(of: method, params, by: service)
        service.rollback()
        switch outcome {
        case .waits: break
        case .result(let bytes):
            let result = must { try JSONValue(parsing: bytes) }
            if result["isError"]?.bool == true { holdToolError(result, method) }
        case .refused(let error):
            hold(error.code != -32_603, "\(method) \(shown(params)): \(error.message)")
            hold(!error.message.isEmpty, "\(method) \(shown(params)): an error without a message")
            let slugs = error.data?["errors"]?.array?.compactMap(\.string) ?? []
            hold(error.code < 0 && error.code > -100 || error.code < -32_000 || !slugs.isEmpty, "no slug: \(error)")
            guard let known = declared[method] else { return }
            hold(known.isSuperset(of: slugs), "\(method) \(shown(params)): \(slugs) are not declared")
        }
    }

    private func holdToolError(_ result: JSONValue, _ method: String) {
        let text = result["content"]?.array?.first?["text"]?.string
        hold(text?.isEmpty == false, "a tool's error without a text: \(result.text)")
        hold(text?.contains("-32603") == false, "a tool's call fails internally: \(result.text)")
    }

    private enum Outcome {
        case result([UInt8])
        case refused(RPCError)
        case waits
    }

    private func outcome(of method: String, _ params: [UInt8], by service: Service) -> Outcome {
        var text = Array("\"\(method)\"".utf8)
        let name = text.count
        text += params
        return text.withUnsafeBytes { bytes in
            let chunk = Chunk(copying: bytes)
            return withExtendedLifetime(chunk) {
                let request = Request(
                    method: JSONText(
                        bytes: UnsafeRawBufferPointer(rebasing: chunk.bytes[1..<name - 1]),
                        hasEscapes: false
                    ),
                    params: UnsafeRawBufferPointer(rebasing: chunk.bytes[name...]),
                    id: nil
                )
                _ = service.lane(of: request)
                _ = service.mayWait(request)
                var result = JSONWriter()
                do throws(RPCError) {
                    let work = try service.execute(request, from: nil, result: &result)
                    return work == nil ? .result(result.take()) : .waits
                } catch {
                    return .refused(error)
                }
            }
        }
    }

    // MARK: Accounts

    private func seed(_ service: Service) throws {
        func ask(_ method: String, _ params: String) throws -> JSONValue {
            let outcome = outcome(of: method, filled(Array(params.utf8)[...]), by: service)
            guard case .result(let bytes) = outcome else { fail("\(method) \(params): \(outcome)") }
            try service.commit()
            return try JSONValue(parsing: bytes)
        }
        func keep(_ name: String, _ value: JSONValue?) {
            guard let text = value?.string else { fail("no value for \(name)") }
            secrets.append(("@\(name)@", text))
        }
        let person = #"{"first_name":"A","last_name":"B","email":"a@b.co"}"#
        keep("session", try ask("operators.register", #"{"user":\#(person),"password":"p"}"#)["session_id"])
        let client = #"{"user":{"first_name":"C","last_name":"D","email":"c@d.co"},"address":"x"}"#
        _ = try ask("operators.client.create", #"{"user_id":1,"session_id":"@session@","client":\#(client)}"#)
        _ = try ask("care.user.register", #"{"email":"a@b.co","password":"p","role":"clinician"}"#)
        _ = try ask("care.user.register", #"{"email":"c@d.co","password":"p","role":"user"}"#)
        keep("token", try ask("care.auth.token", #"{"email":"a@b.co","password":"p"}"#)["access_token"])
        keep("other", try ask("care.auth.token", #"{"email":"c@d.co","password":"p"}"#)["access_token"])
        let share = #""email":"x@y.co","access":"read","group":"family""#
        _ = try ask("care.patients.share", #"{"access_token":"@token@","patient_id":1,\#(share)}"#)
        keep("referral", try ask("system.invite", #"{"role":"admin","uses":1000000}"#)["referral_code"])
        let account = #""email":"a@b.co","password":"p","referral_code":"@referral@","name":{"first":"A","last":"B"}"#
        keep("key", try ask("sales.user.create_internal", "{\(account)}")["api_key"])
        keep("code", try ask("sales.user.me", #"{"api_key":"@key@"}"#)["referral_code"])
    }

    /// The slugs of each method's errors, as the contract declares them.
    private static func declaredSlugs() throws -> [String: Set<String>] {
        guard let path = getenv("FUZZ_CONTRACT").map({ String(cString: $0) }) else { fail("FUZZ_CONTRACT is not set") }
        let document = try JSONValue(parsing: contents(of: path))
        guard let methods = document["methods"]?.array, !methods.isEmpty else { fail("no methods in \(path)") }
        return Dictionary(
            uniqueKeysWithValues: methods.map { method in
                let errors = method["errors"]?.array ?? []
                let slugs = errors.flatMap { $0["data"]?["errors"]?.array?.compactMap(\.string) ?? [] }
                return (method["name"]?.string ?? "", Set(slugs))
            }
        )
    }
}
