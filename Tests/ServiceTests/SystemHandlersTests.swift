import DirectoryStore
import Accounts
import JSON
import Store
import Testing
import PosternTesting

@testable import Service

/// The methods of deterministic mode.
struct SystemHandlersTests {
    private final class Composer: MailComposer {
        let domain = "x.co"

        func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText {
            MailText(subject: "x", text: secret)
        }
    }

    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let backend: Backend
    private let system: SystemHandlers

    init() {
        backend = Backend(
            store: Store(engine: LocalEngine()),
            time: time,
            random: DeterministicRandom(seed: 7),
            composer: Composer()
        )
        let deterministic = SystemHandlers.DeterministicMode(time: time, backend: backend)
        system = SystemHandlers(version: "1", storeKind: "memory", deterministicMode: deterministic)
    }

    private func text() throws -> String? {
        let outbox = backend.apis.environment.outbox
        return try backend.store.transact { tx in
            try outbox.all(in: tx).first.flatMap { try outbox.text(of: $0, in: tx) }
        }
    }

    private func advance(seconds: Int) throws {
        try Array(#"{"seconds":\#(seconds)}"#.utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            try system.advanceClock(ServiceWire.AdvanceClockParams(reading: &reader))
        }
    }

    private func register() throws {
        _ = try backend.apis.care.register(
            email: .value("foo@bar.com"),
            password: .value(Password("p".utf8)),
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(with: backend.apis)
        try backend.store.makeDurable()
    }

    @Test func advancingTheClockDeletesExpiredTexts() throws {
        try register()
        try advance(seconds: Limits.confirmationCodeSeconds - 1)
        #expect(try text() != nil)
        try advance(seconds: 1)
        #expect(try text() == nil)
    }

    /// Only the first thousand expired records of a kind were once deleted.
    @Test func advancingTheClockDeletesAllExpiredTexts() throws {
        let outbox = backend.apis.environment.outbox
        try backend.store.transact { tx in
            for number in 1...Accounts.Limits.sweptRowsMax + 10 {
                try outbox.post(
                    .careConfirmation,
                    of: nil,
                    to: try #require(EmailAddress("x\(number)@b.co")),
                    secret: "1-ab",
                    messageID: "m\(number)",
                    goodFor: Accounts.Limits.confirmationCodeSeconds,
                    locale: nil,
                    at: time.now,
                    in: tx
                )
            }
        }
        try advance(seconds: Accounts.Limits.confirmationCodeSeconds)
        #expect(try backend.store.transact { try $0.count(OutboxText.self) } == 0)
    }

    /// `system.outbox`, which the contract calls read-only, once deleted expired records.
    @Test func readingTheOutboxWritesNothing() throws {
        try register()
        #expect(time.advance(seconds: Limits.confirmationCodeSeconds))
        let before = try backend.store.statistics().transactions
        let outbox = try Array("{}".utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            return try system.outbox(ServiceWire.OutboxParams(reading: &reader))
        }
        #expect(outbox.messages.count == 1)
        try backend.store.makeDurable()
        #expect(try backend.store.statistics().transactions == before)
    }
}
