import DirectoryStore
import Accounts
import Foundation
import Store
import Synchronization
import Testing
import Platform
import PosternTesting

@testable import Mail

/// The courier with a store in memory and a clock that the test sets.
struct CourierTests {
    private let store = Store(engine: LocalEngine())
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_000_000))
    private let outbox: Outbox

    init() throws {
        outbox = Outbox(composer: try MessageTemplates(publicURL: "http://x.co", domain: "x.co"))
    }

    @Test func deliversMailsAndErasesTheirTexts() throws {
        let driver = RecordingDriver()
        let courier = courier(driver)
        try post(to: "a@b.co")
        try post(to: "c@d.co")
        try run(courier) { driver.messages.count == 2 }
        #expect(driver.messages.contains { $0.contains("To: a@b.co\r\n") && $0.contains("\r\nsecret\r\n") })
        #expect(try mails().map(\.state) == ["delivered", "delivered"])
        #expect(try texts() == [nil, nil])
    }

    @Test func retriesWithIncreasingDelays() throws {
        let driver = RecordingDriver()
        driver.refuse(times: .max)
        let courier = courier(driver)
        try post(to: "a@b.co")
        var waits: [Int] = []
        for attempt in 1...10 {
            try run(courier) { try mails()[0].attempts == attempt }
            let mail = try mails()[0]
            guard let next = mail.nextAttempt else { break }
            #expect(mail.lastError == "refused" && mail.state == "waiting")
            waits.append(time.now.seconds(until: next))
            _ = time.advance(seconds: waits[waits.count - 1] - 1)
            _ = courier.sendDue()
            #expect(driver.attempts == attempt)
            _ = time.advance(seconds: 1)
        }
        #expect(waits == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600])
        #expect(try mails().map(\.state) == ["failed"])
        #expect(try texts() == [nil])
    }

    /// The program once ended when no thread could be started.
    @Test func retriesLaterWhenNoThreadCanBeStarted() throws {
        let driver = RecordingDriver()
        let courier = courier(driver, startThread: { _ in false })
        try post(to: "a@b.co")
        try run(courier) { try mails()[0].attempts == 1 }
        let mail = try mails()[0]
        #expect(mail.state == "waiting" && mail.lastError == "no thread could be started")
        #expect(mail.nextAttempt.map { time.now.seconds(until: $0) } == 60)
        #expect(driver.attempts == 0)
    }

    @Test func aHangingMailDoesNotDelayOthers() throws {
        let driver = RecordingDriver(hangsFor: "hang@b.co")
        let courier = courier(driver)
        try post(to: "hang@b.co")
        for number in 1...10 { try post(to: "c\(number)@d.co") }
        try run(courier) { driver.messages.count == 10 }
        #expect(try mails()[0].state == "waiting")
        driver.letGo()
        try run(courier) { try mails()[0].state == "delivered" }
        #expect(driver.attempts == 11)
    }

    /// Several processes on one directory, each with a driver:
    /// one sends a mail, and another only if the first is killed.
    @Test func sendsAMailOnceAmongSeveralProcesses() throws {
        let folder = NSTemporaryDirectory() + "postern-\(UUID().uuidString)"
        defer { _ = try? FileManager.default.removeItem(atPath: folder) }
        let drivers = [RecordingDriver(hangsFor: "a@b.co"), RecordingDriver(), RecordingDriver()]
        let stores = try drivers.map { _ in
            Store(engine: try LocalEngine(directory: folder, log: { _ in }))
        }
        let couriers = zip(stores, drivers).map { courier($1, of: $0) }
        try post(to: "a@b.co", in: stores[2])
        try run(couriers[0]) { drivers[0].attempts == 1 }
        _ = time.advance(seconds: 100)
        _ = couriers[1].sendDue()
        #expect(drivers[1].attempts == 0)
        _ = time.advance(seconds: 20)
        try run(couriers[1]) { drivers[1].messages.count == 1 }
        drivers[0].letGo()
        // A courier that ends before it is done leaves its mail to the others at once.
        try post(to: "a@b.co", in: stores[0])
        let last = RecordingDriver(hangsFor: "a@b.co")
        let ending = courier(last, of: stores[2])
        try run(ending) { last.attempts == 1 }
        ending.finish()
        _ = time.advance(seconds: 60)
        try run(couriers[1]) { drivers[1].attempts == 2 }
    }

    /// A lock that another process held for a moment once delayed all mails by a minute, and the log said that the
    /// outbox could not be used.
    @Test func sendsAMailOnceTheLockIsFree() throws {
        let folder = NSTemporaryDirectory() + "postern-\(UUID().uuidString)"
        defer { _ = try? FileManager.default.removeItem(atPath: folder) }
        var settings = StoreSettings()
        settings.waitsInPlace = false
        let store = Store(engine: try LocalEngine(directory: folder, settings: settings, log: { _ in }))
        try post(to: "a@b.co", in: store)
        let driver = RecordingDriver()
        var lines: [String] = []
        let courier = courier(driver, of: store, log: { lines.append($0) })
        let lock = open(folder + "/lock", O_RDWR | O_CLOEXEC)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX) == 0)
        for _ in 1...5 { #expect(courier.sendDue() <= 50) }
        #expect(driver.attempts == 0)
        try #require(flock(lock, LOCK_UN) == 0)
        try run(courier) { driver.messages.count == 1 }
        #expect(lines == [])
    }

    @Test func keepsMailsUntilTheyExpire() throws {
        let courier = courier(nil)
        try post(to: "a@b.co")
        _ = courier.sendDue()
        #expect(try mails().map(\.state) == ["waiting"])
        _ = time.advance(seconds: 86_399)
        _ = courier.sendDue()
        #expect(try texts() != [nil])
        _ = time.advance(seconds: 1)
        _ = courier.sendDue()
        #expect(try mails().map(\.state) == ["expired"])
        #expect(try texts() == [nil])
        _ = time.advance(seconds: 31 * 86_400)
        _ = courier.sendDue()
        #expect(try mails().isEmpty)
    }

    @Test func returnsTheTimeUntilTheNextMailIsDue() throws {
        let courier = courier(nil)
        #expect(courier.sendDue() == 60_000)
        let driver = RecordingDriver()
        driver.refuse(times: 1)
        let other = self.courier(driver)
        try post(to: "a@b.co")
        try run(other) { try mails()[0].attempts == 1 }
        _ = time.advance(seconds: 58)
        #expect((1...2_000).contains(other.sendDue()))
    }

    // MARK: After a clock that was ahead

    /// A mail that was tried while the clock was a year ahead was once delayed by a year.
    @Test func sendsAMailDelayedByAClockThatWasAhead() throws {
        let driver = RecordingDriver()
        driver.refuse(times: 1)
        let clock = SettableTime(time.now.adding(seconds: 365 * 86_400))
        try run(courier(driver, time: clock)) { try mails().isEmpty }
        try post(to: "a@b.co", at: clock.now)
        try run(courier(driver, time: clock)) { try mails()[0].attempts == 1 }
        clock.now = time.now
        try run(courier(driver, time: clock)) { driver.messages.count == 1 }
        #expect(try mails().map(\.state) == ["delivered"])
    }

    /// Mails dated by such a clock also expire in time.
    @Test func expiresAMailDatedByAClockThatWasAhead() throws {
        let clock = SettableTime(time.now.adding(seconds: 365 * 86_400))
        try post(to: "a@b.co", at: clock.now)
        clock.now = time.now
        _ = courier(nil, time: clock).sendDue()
        // The longest lifetime of any mail.
        clock.now = time.now.adding(seconds: 7 * 86_400)
        _ = courier(nil, time: clock).sendDue()
        #expect(try texts() == [nil])
    }

    /// The record of a mail that was delivered while the clock was ahead is kept no longer than others.
    @Test func deletesTheRecordOfAMailDeliveredByAClockThatWasAhead() throws {
        let driver = RecordingDriver()
        let clock = SettableTime(time.now.adding(seconds: 365 * 86_400))
        try post(to: "a@b.co", at: clock.now)
        try run(courier(driver, time: clock)) { try mails().map(\.state) == ["delivered"] }
        clock.now = time.now
        _ = courier(nil, time: clock).sendDue()
        let seconds = Accounts.Limits.mailLifetimeSecondsMax + Accounts.Limits.outboxRecordSeconds
        clock.now = time.now.adding(seconds: seconds)
        _ = courier(nil, time: clock).sendDue()
        #expect(try mails().isEmpty)
    }

    /// A courier that had checked while the clock was ahead once did not check again until that time.
    @Test func checksAgainAfterTheClockWasSetBack() throws {
        let driver = RecordingDriver()
        let clock = SettableTime(time.now.adding(seconds: 365 * 86_400))
        let courier = courier(driver, time: clock)
        _ = courier.sendDue()
        clock.now = time.now
        // Another process posts the mail, so this courier is not notified.
        let other = Outbox(composer: try MessageTemplates(publicURL: "http://x.co", domain: "x.co"))
        try post(to: "a@b.co", at: clock.now, by: other)
        try run(courier) { driver.messages.count == 1 }
    }

    /// Only the courier calls the sweep.
    @Test func deletesExpiredCountsAndCodes() throws {
        try store.transact { tx in
            try Lockout(.care).fail(1, at: time.now, in: tx)
            _ = try MailedCodes(.sales).issue(
                .reset,
                for: 1,
                secret: "aa",
                at: time.now,
                in: tx
            )
        }
        try store.makeDurable()
        let courier = courier(nil)
        _ = courier.sendDue()
        func rows() throws -> Int {
            try store.transact { try $0.count(PasswordFailures.self) + $0.count(MailedCode.self) }
        }
        #expect(try rows() == 2)
        _ = time.advance(seconds: 86_400)
        _ = courier.sendDue()
        #expect(try rows() == 0)
    }

    // MARK: The end

    @Test func waitsForDeliveriesUnderWayAtTheEnd() throws {
        let driver = RecordingDriver()
        let courier = courier(driver)
        try post(to: "a@b.co")
        courier.finish()
        #expect(try mails().map(\.state) == ["delivered"])
    }

    private func courier(
        _ driver: (any MailDriver)?,
        of store: Store? = nil,
        time: (any TimeSource)? = nil,
        startThread: @escaping Platform.Thread.Starter = Platform.Thread.start,
        log: @escaping (String) -> Void = { _ in }
    ) -> Courier {
        Courier(
            store: store ?? self.store,
            outbox: outbox,
            time: time ?? self.time,
            deliveries: driver.map {
                ThreadedDeliveries(by: $0, from: MailSender(hostOf: "http://x.co"), startThread: startThread, wake: {})
            },
            log: log
        )
    }

    private func post(
        to address: String,
        at now: Timestamp? = nil,
        by sender: Outbox? = nil,
        in other: Store? = nil
    ) throws {
        let (store, outbox) = (other ?? store, sender ?? outbox)
        let email = try #require(EmailAddress(address))
        try store.transact { tx in
            try outbox.post(
                .careTemporaryPassword,
                of: nil,
                to: email,
                secret: "secret",
                messageID: UUID().uuidString,
                goodFor: 86_400,
                locale: nil,
                at: now ?? time.now,
                in: tx
            )
        }
        try store.makeDurable()
    }

    /// Runs the courier until a condition holds, and once more so that it records the outcome.
    private func run(_ courier: Courier, until isDone: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try !isDone() {
            try #require(ContinuousClock.now < deadline)
            _ = courier.sendDue()
            usleep(1_000)
        }
        usleep(50_000)
        _ = courier.sendDue()
    }

    private func mails() throws -> [OutboxMail] { try store.transact { try outbox.all(in: $0) } }

    private func texts() throws -> [String?] {
        try store.transact { tx in try outbox.all(in: tx).map { try outbox.text(of: $0, in: tx) } }
    }
}

/// A clock that the test sets.
private final class SettableTime: TimeSource {
    var now: Timestamp

    init(_ now: Timestamp) {
        self.now = now
    }
}

/// A driver that records its messages, refuses them, or hangs.
private final class RecordingDriver: MailDriver {
    private struct State {
        var messages: [String] = []
        var attempts = 0
        var refusals = 0
        var mayGo = false
        var isCancelled = false
    }

    private let state = Mutex(State())
    private let hangsFor: String?

    init(hangsFor address: String? = nil) {
        hangsFor = address
    }

    var messages: [String] { state.withLock { $0.messages } }
    var attempts: Int { state.withLock { $0.attempts } }

    func refuse(times: Int) { state.withLock { $0.refusals = times } }

    func letGo() { state.withLock { $0.mayGo = true } }

    func cancel() { state.withLock { $0.isCancelled = true } }

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        let text = String(decoding: message.bytes, as: UTF8.self)
        let isRefused = state.withLock { state -> Bool in
            state.attempts += 1
            guard state.refusals > 0 else { return false }
            state.refusals -= 1
            return true
        }
        if isRefused { throw DeliveryFailure("refused") }
        if let hangsFor, text.contains("To: \(hangsFor)\r\n") {
            while !state.withLock({ $0.mayGo }) {
                if state.withLock({ $0.isCancelled }) { throw DeliveryFailure("cancelled") }
                usleep(1_000)
            }
        }
        state.withLock { $0.messages.append(text) }
    }
}
