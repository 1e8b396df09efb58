import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// The lockout of sign-ins whose host states the address of its client.
struct SignInLockoutTests {
    private let store = Store(engine: LocalEngine())
    private let lockout = SignInLockout(.care)
    private let start = Timestamp(microseconds: 1_456_351_672_000_000)

    private func origin(_ ip: String) throws -> Origin {
        try Origin(.value(OriginFields(ip: .value(ip), agent: .absent))) { field, _ in
            AccountError(ErrorCode.Care.invalidClient, field: field)
        }
    }

    private func fail(_ ip: String, times: Int = 1, at time: Timestamp? = nil) throws {
        let origin = try origin(ip)
        try store.transact { tx in
            for _ in 0..<times { _ = try lockout.fail(1, from: origin, at: time ?? start, in: tx) }
        }
    }

    private func succeed(_ ip: String, at time: Timestamp) throws {
        let origin = try origin(ip)
        try store.transact { try lockout.succeed(1, from: origin, at: time, in: $0) }
    }

    private func secondsLeft(_ ip: String?, at time: Timestamp) throws -> Int? {
        let origin = try ip.map(origin) ?? .unknown
        return try store.transact { try lockout.secondsLeft(for: 1, from: origin, at: time, in: $0) }
    }

    private func networks() throws -> [String] {
        try store.transact { try $0.all(NetworkSignIns.self).map(\.network) }
    }

    @Test func locksTheAddressThatFails() throws {
        try fail("192.0.2.1", times: 9)
        #expect(try secondsLeft("192.0.2.1", at: start) == nil)
        try fail("192.0.2.1")
        #expect(try secondsLeft("192.0.2.1", at: start) == 3_600)
        #expect(try secondsLeft("192.0.2.2", at: start) == nil)
        #expect(try secondsLeft(nil, at: start) == nil)
        #expect(try secondsLeft("192.0.2.1", at: start.adding(seconds: 3_600)) == nil)
    }

    @Test func aHundredFailuresLockAllAddressesButTheKnownOnes() throws {
        try succeed("192.0.2.1", at: start)
        for host in 1...9 { try fail("198.51.100.\(host)", times: 10) }
        try fail("198.51.100.10", times: 9)
        #expect(try secondsLeft("203.0.113.1", at: start) == nil)
        try fail("198.51.100.11")
        #expect(try secondsLeft("203.0.113.1", at: start) == 3_600)
        #expect(try secondsLeft("192.0.2.1", at: start) == nil)
        // A known address that fails is locked like any other.
        try fail("192.0.2.1", times: 10)
        #expect(try secondsLeft("192.0.2.1", at: start) == 3_600)
    }

    @Test func anAddressIsKnownForNinetyDays() throws {
        try succeed("192.0.2.1", at: start)
        let day = 86_400
        let last = start.adding(seconds: 90 * day - 1)
        for host in 1...10 { try fail("198.51.100.\(host)", times: 10, at: last) }
        #expect(try secondsLeft("192.0.2.1", at: last) == nil)
        #expect(try secondsLeft("192.0.2.1", at: last.adding(seconds: 1)) == 3_599)
    }

    @Test func keepsTheNewestTwentyAddresses() throws {
        for host in 1...25 { try succeed("192.0.2.\(host)", at: start.adding(seconds: host)) }
        #expect(try Set(networks()) == Set((6...25).map { "192.0.2.\($0)" }))
    }

    /// Most sign-ins from a known address write nothing about it.
    @Test func writesTheTimeOfASignInOnceADay() throws {
        func signedIn() throws -> Timestamp? {
            try store.transact { try $0.get(NetworkSignIns.self, Key("care", 1, "192.0.2.1"))?.signedIn }
        }
        try succeed("192.0.2.1", at: start)
        try succeed("192.0.2.1", at: start.adding(seconds: 86_399))
        #expect(try signedIn() == start)
        try succeed("192.0.2.1", at: start.adding(seconds: 86_400))
        #expect(try signedIn() == start.adding(seconds: 86_400))
        // The clock was ahead, and was set back.
        try succeed("192.0.2.1", at: start)
        #expect(try signedIn() == start)
    }

    @Test func sweepsAddressesThatAreNoLongerNeeded() throws {
        try succeed("192.0.2.1", at: start)
        try fail("192.0.2.2")
        func sweep(days: Int) throws {
            try store.transact {
                _ = try Sweep.run(at: start.adding(seconds: days * 86_400), audit: AuditBounds(), in: $0)
            }
        }
        try sweep(days: 1)
        #expect(try networks() == ["192.0.2.1"])
        try sweep(days: 89)
        #expect(try networks() == ["192.0.2.1"])
        try sweep(days: 90)
        #expect(try networks().isEmpty)
    }

    /// A change of the password once made the owner's own address unknown, so that a hundred guesses locked it.
    @Test func knowsItsAddressesAfterAChangeOfThePassword() throws {
        try succeed("192.0.2.1", at: start)
        try fail("192.0.2.1", times: 10)
        try fail("192.0.2.2", times: 10)
        try store.transact { try Lockout.deleteCounts(of: .care, 1, in: $0) }
        #expect(try networks() == ["192.0.2.1"])
        #expect(try secondsLeft("192.0.2.1", at: start) == nil)
        for host in 1...10 { try fail("198.51.100.\(host)", times: 10) }
        #expect(try secondsLeft("203.0.113.1", at: start) == 3_600)
        #expect(try secondsLeft("192.0.2.1", at: start) == nil)
    }

    @Test func saysWhatAFailureLocks() throws {
        let stranger = try origin("192.0.2.1")
        try store.transact { tx in
            for _ in 1...9 { #expect(try lockout.fail(1, from: stranger, at: start, in: tx) == nil) }
            #expect(try lockout.fail(1, from: stranger, at: start, in: tx) == .address)
            for host in 2...10 {
                let other = try origin("192.0.2.\(host)")
                for _ in 1...9 { #expect(try lockout.fail(1, from: other, at: start, in: tx) == nil) }
                let last = try lockout.fail(1, from: other, at: start, in: tx)
                #expect(last == (host == 10 ? .account : .address))
            }
            for _ in 1...9 { #expect(try lockout.fail(1, from: .unknown, at: start, in: tx) == nil) }
            #expect(try lockout.fail(1, from: .unknown, at: start, in: tx) == .account)
        }
    }

    @Test func deletesTheAddressesOfADeletedAccount() throws {
        try succeed("192.0.2.1", at: start)
        try fail("192.0.2.2")
        try store.transact { try Lockout.deleteAll(of: .care, 1, in: $0) }
        #expect(try networks().isEmpty)
        #expect(try store.transact { try $0.all(PasswordFailures.self).isEmpty })
    }

    @Test func locksAnEmailWithoutAnAccountAlike() throws {
        let (here, there) = (try origin("192.0.2.1"), try origin("192.0.2.2"))
        try store.transact { tx in
            func email(_ origin: Origin) throws -> SignInLockout.UnknownEmail {
                try SignInLockout.UnknownEmail("a@b.co", from: origin, newKey: "00", in: tx)
            }
            for _ in 0..<10 { try lockout.failUnknown(email(here), at: start, in: tx) }
            #expect(try lockout.secondsLeft(forUnknown: email(here), at: start, in: tx) == 3_600)
            #expect(try lockout.secondsLeft(forUnknown: email(there), at: start, in: tx) == nil)
            for host in 1...9 {
                let other = try origin("198.51.100.\(host)")
                for _ in 0..<10 { try lockout.failUnknown(email(other), at: start, in: tx) }
            }
            #expect(try lockout.secondsLeft(forUnknown: email(there), at: start, in: tx) == 3_600)
        }
    }

    @Test(arguments: [
        ("Mozilla/5.0", "Mozilla/5.0"), ("a\u{7}b\n", "ab"), (" ", nil), ("", nil),
        (String(repeating: "é", count: 300), String(repeating: "é", count: 256)),
    ])
    func keepsTheStartOfTheAgent(given: String, kept: String?) throws {
        let fields = OriginFields(ip: .absent, agent: .value(given))
        let origin = try Origin(.value(fields)) { _, _ in AccountError(ErrorCode.Care.invalidClient) }
        #expect(origin.agent == kept)
        #expect(origin.network == nil)
    }
}
