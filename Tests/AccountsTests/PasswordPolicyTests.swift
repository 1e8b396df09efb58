import DirectoryStore
import Foundation
import PosternTesting
import Store
import Testing

@testable import Accounts

/// The rules of password policies.
struct PasswordPolicyTests {
    private func faults(
        _ password: String,
        _ policy: PasswordPolicy = PasswordPolicy(.nist, charactersMin: 1)
    ) -> [PasswordPolicy.Fault] {
        policy.faults(in: Password(password.utf8), email: "lasoren9@bu.edu", names: ["Luke", "Sørenson"])
    }

    // MARK: Length

    @Test(arguments: [
        ("fourteen chars", 14), ("fifteen chars..", 15), ("ÄÖÜäöüßÄÖÜäöü ß", 15), ("🐎🔋📎🐎🔋📎🐎🔋📎🐎🔋📎🐎🔋", 14),
        // A letter and a combining mark are two code points, a family of three is five.
        ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", 14), ("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 15), ("", 0),
    ])
    func countsCodePoints(password: String, count: Int) {
        #expect(Password(password.utf8).characterCount == count)
        #expect(faults(password, PasswordPolicy(.nist)).contains(.tooShort) == (count < 15))
        #expect(faults(password, PasswordPolicy(.nist, charactersMin: count)).contains(.tooShort) == false)
        #expect(faults(password, PasswordPolicy(charactersMin: count + 1)) == (count == 0 ? [] : [.tooShort]))
    }

    @Test func admitsEverythingByDefault() {
        for password in ["password", "a", "luke", "lasoren9@bu.edu"] {
            #expect(faults(password, PasswordPolicy()) == [])
        }
    }

    // MARK: Common passwords

    /// The lines of the file that the table is generated from.
    private static func listed() throws -> [String] {
        let path = PosternProcess.repository.appendingPathComponent("schema/common-passwords.txt")
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map { String($0) }
    }

    @Test func findsEveryCommonPassword() throws {
        let listed = try Self.listed()
        #expect(listed.count == Limits.commonPasswordsCount)
        let missed = listed.filter { !CommonPasswords.contain(Password($0.utf8)) }
        #expect(missed == [])
    }

    /// A password is compared as a whole: no line is found by a part of it, or with something added.
    @Test func findsNoOtherPassword() throws {
        let listed = Set(try Self.listed())
        var others: [String] = []
        for line in listed {
            others += [line + "0", "0" + line, line + "\n", line + "\n" + line]
            others += [String(line.dropLast()), String(line.dropFirst())]
        }
        let found = others.filter { !listed.contains($0) && CommonPasswords.contain(Password($0.utf8)) }
        #expect(found == [])
        #expect(others.count { !listed.contains($0) } > 10_000)
    }

    @Test(arguments: [
        "password", "PASSWORD", "PassWord", "ПАРОЛЬ", "пароль", "\"zxcvbnm,./\"", "1Q2W3E4R5T6Y7U8I9O0P",
    ])
    func ignoresCase(password: String) {
        #expect(faults(password) == [.common])
    }

    @Test func readsALinePerPassword() {
        let list = PasswordList("Zebra\r\n\r\n\nsecret word\nÉté\nzebra\nlast")
        let policy = PasswordPolicy(list: list)
        for password in ["zebra", "ZEBRA", "Secret Word", "été", "LAST"] {
            #expect(faults(password, policy) == [.common], "\(password)")
        }
        for password in ["", "zebr", "zebras", "zebra\r", "secret", "word", "\n", "zebra\nzebra", "password", "luke"] {
            #expect(faults(password, policy) == [], "\(password)")
        }
        #expect(faults("zebra", PasswordPolicy(.nist, list: list)) == [.tooShort, .common])
        #expect(faults("password", PasswordPolicy(.nist, charactersMin: 1, list: list)) == [.common])
        for empty in ["", "\n", "\r\n\n"] {
            #expect(faults("a b c", PasswordPolicy(list: PasswordList(empty))) == [])
        }
    }

    // MARK: Personal passwords

    @Test(arguments: [
        "lasoren9@bu.edu", "LASOREN9@BU.EDU", "lasoren9", "lasoren", "Luke", "sørenson", "SØRENSON", "LukeSørenson",
        "sørenson luke", "Sørenson, Luke (1987)", "lasoren@bu.edu 2026", "luke12345678", "lukelukeluke",
        "luke-luke-luke!", "luke@luke@luke", "lasoren9lasoren9lasoren9",
    ])
    func refusesTheAccountsOwn(password: String) {
        #expect(faults(password).contains(.personal))
        #expect(faults(password, PasswordPolicy(charactersMin: 1)) == [])
    }

    @Test(arguments: [
        "luke likes sørenson", "luke123456789", "lukes", "uke", "bu.edu", "123456789 2", "lukelasoren", "lukeluk",
        "sorenson", "!!!! ????", "lukeandsørenson",
    ])
    func admitsTextsThatOnlyContainIt(password: String) {
        #expect(!faults(password).contains(.personal))
    }

    @Test func needsNoEmailAndNoNames() {
        let policy = PasswordPolicy(.nist, charactersMin: 1)
        #expect(policy.faults(in: Password("a b c".utf8), email: nil, names: []) == [])
        #expect(policy.faults(in: Password("  ".utf8), email: nil, names: ["", ""]) == [])
        #expect(policy.faults(in: Password("".utf8), email: nil, names: [""]) == [])
        // A name without letters is compared as it is.
        #expect(policy.faults(in: Password("4711".utf8), email: nil, names: ["4711", ""]) == [.personal])
        #expect(policy.faults(in: Password("4712".utf8), email: nil, names: ["4711", ""]) == [])
    }

    @Test func lowersEveryCodePointWithinItsMemory() {
        let scalars = (0...0x10FFFF).compactMap { Unicode.Scalar(UInt32($0)) }
        for start in stride(from: 0, to: scalars.count, by: 256) {
            let text = String(String.UnicodeScalarView(scalars[start..<min(start + 256, scalars.count)]))
            let lower = Array(text.lowercased().utf8)
            #expect(Password(text.utf8).folded.withUnsafeBytes { Array($0) } == lower)
        }
        for scalar in ["İ", "Ⱥ", "Ⱦ", "A", "K"] as [Unicode.Scalar] {
            let lower = Array(String(scalar).lowercased().utf8)
            #expect(Password(String(scalar).utf8).folded.withUnsafeBytes { Array($0) } == lower)
        }
    }

    // MARK: The rules

    /// A refused password costs no hash.
    @Test func judgesBeforeHashing() throws {
        let environment = Environment(
            store: Store(engine: LocalEngine()),
            time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
        let apis = AccountAPIs(environment, AccountSettings(passwordPolicy: PasswordPolicy(.nist)))
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value("a@b.co"))
        // The first phase, which asks for the hash, already fails.
        #expect(throws: AccountError(ErrorCode.Operators.passwordTooShort, field: "password")) {
            _ = try apis.operators.register(person: .value(person), password: .value(Password("fourteen chars".utf8)))
        }
        let progress = try apis.operators.register(
            person: .value(person),
            password: .value(Password("fifteen chars..".utf8))
        )
        guard case .hash = progress else {
            Issue.record("a hash is expected")
            return
        }
    }
}
