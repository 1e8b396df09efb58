import DirectoryStore
import Foundation
import PosternTesting
import Store
import Testing

@testable import Accounts

/// Requests that must not reveal who has an account write as much to the files for an email without one.
struct EqualWorkTests {
    private let folder = TemporaryDirectory()
    private let store: Store
    private let environment: Environment
    private let apis: AccountAPIs
    private let password = Given.value(Password("password".utf8))
    /// The numbers of accounts and mails in a new store have fewer digits than usual ones.
    private let digitsBytes = 64

    init() throws {
        store = Store(engine: try LocalEngine(directory: folder.path("store"), log: { _ in }))
        environment = Environment(
            store: store,
            time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: LongComposer())
        )
        apis = AccountAPIs(environment, AccountSettings())
        for email in ["known@example.com", "other@example.com"] {
            let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value(email))
            _ = try apis.operators.register(person: .value(person), password: password).finished(with: apis)
            let new = NewSalesUser(
                email: .value(email),
                password: password,
                referralCode: .value(try apis.sales.invite(.admin).referralCode),
                name: .value(NameFields(first: .value("A"), last: .value("B")))
            )
            _ = try apis.sales.create(.admin, new).finished(with: apis)
        }
        _ = try apis.care.register(
            email: .value("known@example.com"),
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(with: apis)
        try store.makeDurable()
        store.close()
    }

    /// A composer whose mails with a code are longer than those without, and have a link.
    private final class LongComposer: MailComposer {
        let domain = "example.com"

        func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText {
            guard !secret.isEmpty else { return MailText(subject: "A notice", text: "One \"line\".\n") }
            return MailText(
                subject: "A subject",
                text: String(repeating: "A line.\n", count: 20) + secret + "\n",
                link: "https://example.com/confirm?code=\(secret)"
            )
        }
    }

    /// The bytes of the lines in the journals, without the room after them.
    private func journalBytes() throws -> Int {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("store"))
        return try files.filter { $0.hasPrefix("journal") }.reduce(0) { bytes, file in
            let data = try Data(contentsOf: URL(filePath: folder.path("store/\(file)")))
            return bytes + (data.range(of: Data("}\n".utf8), options: .backwards)?.upperBound ?? 0)
        }
    }

    /// The bytes that a request adds to the journal of a store which is opened for it.
    private func written(_ request: (AccountAPIs) throws -> Void) throws -> Int {
        let before = try journalBytes()
        let store = Store(engine: try LocalEngine(directory: folder.path("store"), log: { _ in }))
        let apis = AccountAPIs(
            Environment(
                store: store,
                time: environment.time,
                random: environment.random,
                hasher: environment.hasher,
                outbox: environment.outbox
            ),
            AccountSettings()
        )
        try request(apis)
        try store.makeDurable()
        store.close()
        return try journalBytes() - before
    }

    private func expectEqual(_ name: String, _ request: (AccountAPIs, Given<String>) throws -> Void) throws {
        // The first of each has to write all records.
        let known = try written { try request($0, .value("known@example.com")) }
        let unknown = try written { try request($0, .value("xxxxx@example.com")) }
        #expect(known > 500, "\(name)")
        #expect(abs(known - unknown) <= digitsBytes, "\(name): \(known) and \(unknown) bytes")
    }

    @Test func aResetWritesAsMuchForAnUnknownEmail() throws {
        // From two addresses: the first request from one adds a count.
        var ips = ["192.0.2.8", "192.0.2.7"]
        try expectEqual("operators") { apis, email in
            let ip = Given.value(ips.removeLast())
            let client = Given.value(OriginFields(ip: ip, agent: .value("Mozilla/5.0 (X11)")))
            try apis.operators.resetPassword(email: email, client: client)
        }
        try expectEqual("sales") { try $0.sales.resetPassword(email: $1) }
    }

    @Test func aConfirmationWritesAsMuchForAnUnknownEmail() throws {
        try expectEqual("sales") { try $0.sales.resendConfirmation(email: $1) }
    }

    @Test func aChangeToATakenEmailWritesAsMuch() throws {
        var counts: [Int] = []
        // Of two accounts: the first request of one adds the code.
        let changes = [("known@example.com", "other@example.com"), ("other@example.com", "xxxxx@example.com")]
        let bytes = try changes.map { account, email in
            let key = try signIn(account)
            return try written { apis in
                try apis.sales.changeEmail(key, currentPassword: password, email: .value(email)).finished(with: apis)
                counts.append(try apis.environment.store.read { try $0.count(OutboxMail.self) })
            }
        }
        #expect(counts[1] == counts[0] + 1)
        #expect(abs(bytes[0] - bytes[1]) <= digitsBytes, "\(bytes)")
    }

    private func signIn(_ email: String) throws -> Given<BearerToken> {
        var key: Given<BearerToken> = .absent
        _ = try written { apis in
            let signedIn = try apis.sales.authenticate(email: .value(email), password: password).finished(with: apis)
            key = .value(signedIn.key.bearer)
        }
        return key
    }
}
