import DirectoryStore
import JSON
import PosternTesting
import Store
import Testing

@testable import Accounts

struct AdministrationTests {
    private let engine = ObservedEngine(LocalEngine())
    private let store: Store
    private let environment: Environment
    private let apis: AccountAPIs
    private var administration: Administration { Administration(apis) }

    init() {
        store = Store(engine: engine)
        environment = Environment(
            store: store,
            time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_000_000)),
            random: DeterministicRandom(seed: 7),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
        apis = AccountAPIs(environment)
    }

    @discardableResult
    private func create(
        _ realm: Realm,
        _ email: String,
        _ texts: [(ImportedAccount.Property, String)] = []
    ) throws -> AccountSummary {
        let new = try NewAccount(
            api: .value(realm.rawValue),
            email: .value(email),
            password: .absent,
            texts: ([(.firstName, "Luke"), (.lastName, "Sorenson")] + texts).map { ($0.0, .value($0.1)) },
            emailConfirmed: .value(true),
            actor: .absent
        )
        return try apis[realm].create(new).finished(with: apis)
    }

    // MARK: Lists

    /// A search reads a limited number of accounts, so that it does not keep other requests waiting.
    @Test func stopsASearchThatFindsNothing() throws {
        for number in 1...250 { try create(.operators, "a\(number)@b.co") }
        var list = ListedAccounts(after: 0, room: 10, reads: 120)
        var isAtEnd = try store.transact { try apis.operators.list(&list, containing: "zzz", in: $0) }
        #expect(!isAtEnd && list.found.isEmpty && list.after == 120 && list.reads == 0)
        // a2 and a20 to a29 come before.
        (list.reads, list.room) = (1_000, 2)
        isAtEnd = try store.transact { try apis.operators.list(&list, containing: "a2", in: $0) }
        #expect(!isAtEnd && list.found.map(\.id) == [200, 201] && list.after == 201)
        list.room = 1_000
        isAtEnd = try store.transact { try apis.operators.list(&list, containing: "a2", in: $0) }
        #expect(isAtEnd && list.found.map(\.id) == Array(200...250) && list.after == 250)
    }

    /// Following pages contain each account once, for every page length.
    @Test(arguments: [1, 2, 3, 5, 7])
    func pagesHaveEachAccountOnce(limit: Int) throws {
        for realm in Realm.allCases { for name in ["a", "b"] { try create(realm, "\(name)@b.co") } }
        var (found, after): ([String], Given<String>) = ([], .absent)
        while true {
            let page = try administration.accounts(api: .absent, search: .absent, after: after, limit: .value(limit))
            #expect(page.accounts.count <= limit)
            found += page.accounts.map(\.account)
            guard let next = page.next else { break }
            after = .value(next)
        }
        #expect(found == ["operators:1", "operators:2", "care:1", "care:2", "sales:1", "sales:2"])
    }

    @Test(arguments: [
        ("b.co", true), ("A@B", true), ("luke s", true), ("SORENSON", true), ("e Sor", true), ("sorenson luke", false),
        ("a@b.co ", false), ("é", false),
    ])
    func searchesEmailAndName(text: String, isFound: Bool) throws {
        try create(.care, "a@b.co")
        let page = try administration.accounts(api: .absent, search: .value(text), after: .absent, limit: .absent)
        #expect(page.accounts.count == (isFound ? 1 : 0))
    }

    // MARK: Operations

    /// Creating read its own account in a second transaction, and failed with `account_not_found` if another process
    /// had deleted the account in between.
    @Test(arguments: Realm.allCases)
    func createsAnAccountThatIsDeletedAtOnce(realm: Realm) throws {
        engine.afterWrite = { [engine, apis] in
            engine.afterWrite = {}
            try apis[realm].delete(AccountOperation(account: .value("\(realm.rawValue):1")))
        }
        let created = try create(realm, "a@b.co")
        #expect(created.account == "\(realm.rawValue):1" && created.email == "a@b.co" && created.emailConfirmed)
        #expect(
            try administration.accounts(api: .absent, search: .absent, after: .absent, limit: .absent).accounts.isEmpty
        )
        #expect(try create(realm, "a@b.co").account == "\(realm.rawValue):2")
    }

    /// Two requests for one email can both pass the check before the password is hashed.
    @Test func refusesAnEmailThatIsTakenMeanwhile() throws {
        let new = try NewAccount(
            api: .value("care"),
            email: .value("a@b.co"),
            password: .value(Password("hyperion".utf8)),
            texts: [],
            emailConfirmed: .absent,
            actor: .absent
        )
        let first = try apis.care.create(new)
        try create(.care, "A@b.co")
        #expect(throws: AccountError(ErrorCode.Admin.emailTaken)) { try first.finished(with: apis) }
        let page = try administration.accounts(api: .absent, search: .absent, after: .absent, limit: .absent)
        #expect(page.accounts.map(\.email) == ["A@b.co"])
    }

    @Test func anExportStopsAtItsBound() throws {
        try create(.care, "a@b.co")
        let operation = try AccountOperation(account: .value("care:1"))
        #expect(throws: ReplyTooLong.self) { try apis.care.export(operation, bytesMax: 200) }
        let export = try apis.care.export(operation, bytesMax: .max)
        #expect(export.records.map(\.collection) == ["care.shares", "care.patients"])
        #expect(export.events.map(\.kind) == ["admin_account_created", "confirmed"])
    }

    @Test func anExportHasEachRecordOnce() throws {
        try create(.operators, "a@b.co")
        let count = Limits.jobRecordsMax * 2 + 1
        try store.transact { tx in
            for number in 1...count {
                let created = environment.time.now
                let email = "c\(number)@b.co"
                let person = Person(id: number + 1, created: created, firstName: "C", lastName: "D", email: email)
                try tx.insert(
                    Client(
                        id: number,
                        operatorID: 1,
                        created: created,
                        person: person,
                        address: "x",
                        change: number,
                        deleted: nil
                    )
                )
            }
        }
        let operation = try AccountOperation(account: .value("operators:1"))
        let export = try apis.operators.export(operation, bytesMax: .max)
        #expect(export.records.count == count)
        #expect(Set(export.records.map { String(decoding: $0.record.bytes, as: UTF8.self) }).count == count)
    }

    /// Of everything that a deletion of the account deletes, an export has the counts too, and no hash.
    @Test func anExportHasTheCountsOfTheAccount() throws {
        try create(.care, "a@b.co")
        try create(.care, "other@b.co")
        let now = environment.time.now
        let fields = OriginFields(ip: .value("192.0.2.7"), agent: .absent)
        let network = try Origin(.value(fields)) { _, _ in AccountError(ErrorCode.Care.invalidClient) }
        try store.transact { tx in
            for account in 1...2 {
                for scope in Lockout.Scope.allCases { try Lockout(.care, scope).fail(account, at: now, in: tx) }
                try SignInLockout(.care).fail(account, from: network, at: now, in: tx)
                let address = try KeyedHash(of: "friend@b.co", newKey: "00", in: tx)
                let cause = MailCause(.care, account: account)
                _ = try MailQuotas(.careInvitation, to: address, isSent: true, cause: cause).admit(at: now, in: tx)
            }
        }
        let export = try apis.care.export(AccountOperation(account: .value("care:1")), bytesMax: .max)
        #expect(
            export.records.map(\.collection) == [
                "care.shares", "care.patients", "password failures", "password failures", "password failures",
                "sign-in addresses", "mail quotas",
            ]
        )
        let counts = try export.records.dropFirst(2).map { try JSONValue(parsing: $0.record.bytes) }
        #expect(counts.prefix(4).allSatisfy { $0["account"] == 1 && $0["realm"] == "care" })
        #expect(counts.prefix(3).map { $0["scope"]?.string } == Lockout.Scope.allCases.map(\.rawValue))
        #expect(counts.prefix(3).map { $0["count"]?.int } == [1, 2, 1])
        #expect(counts[3]["network"] == "192.0.2.7" && counts[3]["count"] == 1)
        #expect(counts[4]["subject"] == "care 1" && counts[4]["count"] == 1)
        try store.transact { tx in try Lockout.deleteCounts(of: .care, 1, in: tx) }
        let later = try apis.care.export(AccountOperation(account: .value("care:1")), bytesMax: .max)
        #expect(later.records.map(\.collection) == ["care.shares", "care.patients", "mail quotas"])
    }

    /// A user's export has the shares that the user has made, and not those of others.
    @Test func anExportHasTheSharesThatAUserHasMade() throws {
        for name in ["a", "b"] { try create(.care, "\(name)@b.co") }
        let many = Limits.sharesPerScanMax + 1
        try store.transact { tx in
            for (maker, patient) in [(1, 1), (2, 2)] {
                for _ in 1...many {
                    let id = try tx.nextNumber(of: CareShare.self)
                    var share = CareShare.waiting(id, patient: patient)
                    (share.email, share.maker) = ("friend\(id)@b.co", maker)
                    try tx.insert(share)
                }
            }
        }
        let export = try apis.care.export(AccountOperation(account: .value("care:1")), bytesMax: .max)
        let shares = try export.records.filter { $0.collection == "care.shares" }
            .map { try JSONValue(parsing: $0.record.bytes) }
        #expect(shares.count == many + 1)
        #expect(shares.dropFirst().allSatisfy { $0["maker"] == 1 && $0["patient"] == 1 })
        #expect(Set(shares.map { $0["id"]?.int }).count == many + 1)
    }

    /// An operation that is refused leaves no event, and one that only reads neither.
    @Test func recordsOperationsThatChangeSomething() throws {
        try create(.sales, "a@b.co", [(.source, "fair")])
        let operation = try AccountOperation(account: .value("sales:1"), actor: .value("carol"))
        _ = try apis.sales.details(operation)
        _ = try apis.sales.disable(operation)
        let unknown = try AccountOperation(account: .value("sales:2"))
        #expect(throws: AccountError(ErrorCode.Admin.accountNotFound)) { try apis.sales.disable(unknown) }
        let events = try administration.events(after: .absent, limit: .absent, account: .value("sales:1")).events
        #expect(events.map(\.kind) == ["admin_account_created", "admin_account_disabled"])
        #expect(events.map(\.by) == ["admin", "admin"] && events.last?.detail?.actor == "carol")
    }

    // MARK: The audit trail

    @Test func refusesACursorBeforeDeletedEvents() throws {
        for number in 1...5 { try create(.care, "a\(number)@b.co") }
        let all = try administration.events(after: .absent, limit: .absent, account: .absent)
        let last = try #require(all.events.last?.seq)
        #expect(all.next == last)
        while try store.transact({ tx in
            try AuditTrail.sweep(AuditBounds(eventsMax: 3), at: environment.time.now, in: tx)
        }) {}
        let gone = AccountError(ErrorCode.Admin.eventsGone)
        #expect(throws: gone) { try administration.events(after: .value(0), limit: .absent, account: .absent) }
        #expect(throws: gone) { try administration.events(after: .value(1), limit: .absent, account: .value("care:1")) }
        let rest = try administration.events(after: .value(last - 3), limit: .absent, account: .absent)
        #expect(rest.events.map(\.seq) == [last - 2, last - 1, last])
        #expect(try administration.events(after: .absent, limit: .absent, account: .absent).events.count == 3)
        // Without further events, the next page starts where this one did.
        #expect(try administration.events(after: .value(last), limit: .absent, account: .absent).next == last)
        #expect(try administration.events(after: .value(last), limit: .absent, account: .value("care:1")).next == last)
    }
}
