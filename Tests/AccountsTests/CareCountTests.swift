import DirectoryStore
import PosternTesting
import Store
import Platform
import Testing

@testable import Accounts

/// The number of patients that a user can see equals the length of the list,
/// even while jobs are pending, and is found without a scan.
struct CareCountTests {
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    /// More records than one transaction of a job handles.
    private static let many = Limits.jobRecordsMax + 20

    private let folder = TemporaryDirectory()

    private func care(_ engine: any Engine) -> Care {
        Care(
            Environment(
                store: Store(engine: engine),
                time: time,
                random: SystemRandom(),
                hasher: Argon2idHasher(),
                outbox: Outbox(composer: SecretComposer())
            )
        )
    }

    private static let kim = PatientFields(
        firstName: .value("Kim"),
        lastName: .absent,
        birthdate: .absent,
        sex: .absent,
        phone: .absent
    )

    /// Registers a user, by default with a proven address. Returns the user's token.
    private func user(_ care: Care, _ email: String, isProven: Bool = true) throws -> Given<BearerToken> {
        let user = try care.register(
            email: .value(email),
            password: .value(Password("password".utf8)),
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: care.environment)
        if isProven {
            try care.environment.store.transact { try care.prove(user, at: care.environment.time.now, in: $0) }
        }
        return try signIn(care, email, "password")
    }

    private func signIn(_ care: Care, _ email: String, _ password: String) throws -> Given<BearerToken> {
        .value(
            try care.signIn(email: .value(email), password: .value(Password(password.utf8)))
                .finished(in: care.environment).bearer
        )
    }

    /// Signs in with a temporary password, which takes over an account whose address was not proven.
    private func takeOver(_ care: Care, _ email: String) throws -> Given<BearerToken> {
        _ = try care.resetPassword(email: .value(email)).finished(in: care.environment)
        let (store, outbox) = (care.environment.store, care.environment.outbox)
        let text = try store.transact { tx in
            try outbox.all(in: tx).last.flatMap { try outbox.text(of: $0, in: tx) }
        }
        return try signIn(care, email, try #require(text))
    }

    private func share(
        _ care: Care,
        _ patient: Int,
        of owner: Given<BearerToken>,
        with email: String,
        _ access: String = "write"
    ) throws {
        _ = try care.share(
            owner,
            .value(patient),
            email: .value(email),
            access: .value(access),
            group: .value("family")
        )
    }

    /// Compares the count with the whole list and with pages of it. Returns the listed ids.
    private func expectTrueCount(_ care: Care, _ user: Given<BearerToken>) throws -> [Int] {
        let all = try care.patients(user, limit: .value(0), offset: .absent)
        #expect(all.count == all.page.count)
        for (offset, limit) in [(0, 1), (all.count / 2, 30), (max(0, all.count - 1), 5), (all.count, 1)] {
            let page = try care.patients(user, limit: .value(limit), offset: .value(offset))
            #expect(page.count == all.count)
            #expect(page.page.map(\.patient.id) == all.page.dropFirst(offset).prefix(limit).map(\.patient.id))
        }
        for seen in all.page { #expect(try care.patient(user, .value(seen.patient.id)).patient == seen.patient) }
        return all.page.map(\.patient.id)
    }

    @Test(arguments: [false, true])
    func listingOnePatientVisitsEquallyManyEntriesInAnyList(onDisk: Bool) throws {
        let inner = onDisk ? try LocalEngine(directory: folder.path("store"), log: { _ in }) : LocalEngine()
        let engine = ObservedEngine(inner)
        let care = self.care(engine)
        let (owner, guest) = (try user(care, "owner@b.co"), try user(care, "guest@b.co"))
        var visits: [Int] = []
        for count in [20, 1_000] {
            for _ in try care.patients(guest, limit: .value(1), offset: .absent).count - 1..<count {
                try share(care, try care.createPatient(owner, Self.kim).patient.id, of: owner, with: "guest@b.co")
            }
            try care.environment.store.makeDurable()
            if onDisk { #expect(try inner.compact()) }
            for user in [owner, guest] {
                engine.visits = 0
                let list = try care.patients(user, limit: .value(1), offset: .absent)
                #expect(list.count == count + 1 && list.page.count == 1)
                visits.append(engine.visits)
            }
        }
        #expect(visits[0] == visits[2] && visits[1] == visits[3] && visits[3] < 10, "\(visits)")
    }

    /// While a takeover of one account was pending, every user's list once visited all of the user's shares.
    @Test func aPendingTakeoverDoesNotMakeOtherListsScanAllShares() throws {
        let engine = ObservedEngine(LocalEngine())
        let care = self.care(engine)
        let owner = try user(care, "owner@b.co")
        let squatter = try user(care, "dr@b.co", isProven: false)
        for _ in 0..<5 * Self.many { _ = try care.createPatient(owner, Self.kim) }
        for _ in 0..<Self.many {
            try share(care, try care.createPatient(squatter, Self.kim).patient.id, of: squatter, with: "owner@b.co")
        }
        engine.visits = 0
        _ = try care.patients(owner, limit: .value(1), offset: .absent)
        let before = engine.visits
        _ = try takeOver(care, "dr@b.co")
        try care.environment.store.makeDurable()
        #expect(care.environment.store.takeFollowUp(.jobs))
        engine.visits = 0
        let list = try care.patients(owner, limit: .value(1), offset: .absent)
        #expect(list.count == 5 * Self.many + 1)
        #expect(before < engine.visits && engine.visits < 5 * Self.many, "\(before), \(engine.visits)")
    }

    @Test(arguments: [1, 2] as [UInt64])
    func theCountEqualsTheListAfterRandomChanges(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let engine = try LocalEngine(directory: folder.path("store"), log: { _ in })
        let care = self.care(engine)
        let store = care.environment.store
        let emails = ["a@b.co", "c@b.co", "d@b.co", "owner@b.co", "dr@b.co"]
        var users: [String: Given<BearerToken>] = [:]
        for email in emails { users[email] = try user(care, email, isProven: email != "dr@b.co") }
        // Enough patients for a deletion and a takeover in several transactions.
        for email in ["owner@b.co", "dr@b.co"] {
            let owner = try #require(users[email])
            for _ in 0..<Self.many {
                let patient = try care.createPatient(owner, Self.kim).patient.id
                for guest in emails.prefix(3) where Bool.random(using: &random) {
                    try share(care, patient, of: owner, with: guest)
                }
            }
        }
        var (stepsWithJobs, deleted) = (0, 0)
        for step in 1...60 {
            let email = try #require(users.keys.sorted().randomElement(using: &random))
            let token = try #require(users[email])
            let own = try care.patients(token, limit: .value(0), offset: .absent).page
            let other = try #require(emails.randomElement(using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0...1: _ = try care.createPatient(token, Self.kim)
            case 2...4:
                guard let seen = own.randomElement(using: &random), seen.share.access == "write" else { break }
                _ = try? share(care, seen.patient.id, of: token, with: other)
            case 5...6:
                guard let seen = own.randomElement(using: &random), !seen.share.isOwners else { break }
                _ = try care.unshare(token, .value(seen.patient.id), shareID: .value(seen.share.id))
            case 7:
                guard let seen = own.first(where: { !$0.isMe && $0.share.access == "write" && $0.patient.me == nil })
                else { break }
                try store.transact { tx in
                    for _ in 0..<Self.many where step % 5 == 0 {
                        let id = try tx.nextNumber(of: CareShare.self)
                        try tx.insert(CareShare.waiting(id, patient: seen.patient.id))
                    }
                }
                _ = try care.deletePatient(token, .value(seen.patient.id))
            default: _ = try care.runJob()
            }
            if step == 20 { users["dr@b.co"] = try takeOver(care, "dr@b.co") }
            if step == 30, let owner = users.removeValue(forKey: "owner@b.co") {
                _ = try care.delete(owner)
                deleted += 1
            }
            for user in users.values { _ = try expectTrueCount(care, user) }
            if try !store.transact({ try $0.all(CareJob.self).isEmpty }) { stepsWithJobs += 1 }
            try store.makeDurable()
            if step % 25 == 0 { #expect(try engine.compact()) }
        }
        // The lists while jobs were pending equal the lists after the jobs.
        let listed = try users.mapValues { try expectTrueCount(care, $0) }
        while try care.runJob() {}
        #expect(try users.mapValues { try expectTrueCount(care, $0) } == listed)
        #expect(stepsWithJobs > 5 && deleted == 1)
        try store.makeDurable()
        store.close()
        let path = SystemString(folder.path("store"))
        let report = try StoreCheck.run(path, types: RecordTypes.all, progress: { _ in })
        #expect(report.faults.isEmpty, "\(report.faults)")
    }
}
