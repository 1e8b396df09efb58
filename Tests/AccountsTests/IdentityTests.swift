import Store
import Testing

@testable import Accounts

/// The pieces that all three APIs share, over a store in memory.
struct IdentityTests {
    private let store = Store(engine: LocalEngine())
    private let start = Timestamp(microseconds: 1_456_351_672_371_513)

    // MARK: Lockout

    @Test func locksAfterTenFailuresForAnHour() throws {
        let lockout = Lockout(.care)
        try store.transact { tx in
            for _ in 1...9 { try lockout.fail(1, at: start, in: tx) }
            #expect(try lockout.secondsLeft(for: 1, at: start, in: tx) == nil)
            try lockout.fail(1, at: start, in: tx)
            #expect(try lockout.secondsLeft(for: 1, at: start, in: tx) == 3_600)
            #expect(try lockout.secondsLeft(for: 1, at: start.adding(seconds: 3_599), in: tx) == 1)
            #expect(try lockout.secondsLeft(for: 1, at: start.adding(seconds: 3_600), in: tx) == nil)
            // After it one failure is the first of ten again.
            try lockout.fail(1, at: start.adding(seconds: 3_600), in: tx)
            #expect(try lockout.secondsLeft(for: 1, at: start.adding(seconds: 3_600), in: tx) == nil)
        }
    }

    @Test func keepsAccountsRealmsAndScopesApart() throws {
        try store.transact { tx in
            for _ in 1...10 { try Lockout(.care).fail(1, at: start, in: tx) }
            #expect(try Lockout(.care).secondsLeft(for: 2, at: start, in: tx) == nil)
            #expect(try Lockout(.sales).secondsLeft(for: 1, at: start, in: tx) == nil)
            #expect(try Lockout(.care, .passwordChange).secondsLeft(for: 1, at: start, in: tx) == nil)
            try Lockout(.care).clear(1, in: tx)
            #expect(try Lockout(.care).secondsLeft(for: 1, at: start, in: tx) == nil)
        }
    }

    // MARK: Mailed codes

    @Test func redeemsACodeOnceForItsPurpose() throws {
        let codes = MailedCodes(.operators)
        try store.transact { tx in
            let code = try codes.issue(.reset, for: 17, secret: "5f0c", at: start, in: tx)
            #expect(code == "17-5f0c")
            #expect(MailedCodes.holder(of: code) == 17)
            #expect(try codes.redeem(.confirm, code, at: start, in: tx) == nil)
            #expect(try MailedCodes(.sales).redeem(.reset, code, at: start, in: tx) == nil)
            #expect(try codes.redeem(.reset, code, at: start.adding(seconds: 3_599), in: tx) == 17)
            #expect(try codes.redeem(.reset, code, at: start, in: tx) == nil)
        }
    }

    @Test(arguments: [
        "", "-", "17", "17-", "-17-5f0c", "17-5f0c-", "x-5f0c", "17-5F0C", "99999999999-5f0c", "017-5f0d",
    ])
    func takesNoOtherText(code: String) throws {
        let codes = MailedCodes(.operators)
        try store.transact { tx in
            _ = try codes.issue(.reset, for: 17, secret: "5f0c", at: start, in: tx)
            #expect(try codes.redeem(.reset, code, at: start, in: tx) == nil)
            #expect(try codes.redeem(.reset, "17-5f0c", at: start, in: tx) == 17)
        }
    }

    @Test func endsACodeWhenItExpiresOrIsGuessedAtTenTimes() throws {
        let codes = MailedCodes(.operators)
        try store.transact { tx in
            let late = try codes.issue(.reset, for: 1, secret: "aa", at: start, in: tx)
            #expect(try codes.redeem(.reset, late, at: start.adding(seconds: 3_600), in: tx) == nil)
            let guessed = try codes.issue(.reset, for: 2, secret: "bb", at: start, in: tx)
            for _ in 1...9 { #expect(try codes.redeem(.reset, "2-cc", at: start, in: tx) == nil) }
            #expect(try codes.redeem(.reset, guessed, at: start, in: tx) == 2)
            let exhausted = try codes.issue(.reset, for: 2, secret: "dd", at: start, in: tx)
            for _ in 1...10 { #expect(try codes.redeem(.reset, "2-cc", at: start, in: tx) == nil) }
            #expect(try codes.redeem(.reset, exhausted, at: start, in: tx) == nil)
        }
    }

    // MARK: Passwords and tokens

    @Test func verifiesWhatItHashed() throws {
        let hasher = Argon2idHasher()
        let hash = try hasher.hash("pass\0word")
        #expect(hash.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try hasher.verify("pass\0word", against: hash))
        #expect(try !hasher.verify("pass\0worD", against: hash) && !hasher.verify("pass", against: hash))
        #expect(!hasher.needsRehash(hash) && !hasher.needsRehash(hasher.decoy))
        #expect(try !hasher.verify("", against: hasher.decoy))
    }

    /// BLAKE2b-256 of "abc", as b2sum -l 256 has it.
    @Test func hashesTokens() {
        let hash = SecretToken.Hash(of: "abc")
        #expect(hash.text == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
        #expect(Key(hash).text == hash.text)
    }

    @Test func repeatsRandomValuesInARehearsalAlone() {
        #expect(RehearsedRandom(seed: 7).bytes(32) == RehearsedRandom(seed: 7).bytes(32))
        #expect(RehearsedRandom(seed: 7).bytes(32) != RehearsedRandom(seed: 8).bytes(32))
        #expect(SystemRandom().bytes(32) != SystemRandom().bytes(32))
        let random = RehearsedRandom(seed: 7)
        #expect(random.bytes(32) != random.bytes(32))
        let uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(random.uuid().wholeMatch(of: uuid) != nil)
    }

    // MARK: What a request gives

    @Test(arguments: [
        (Given<String>.absent, true), (.null, true), (.mistyped, false), (.value(""), true),
        (.value(" \t\u{2003}"), true),
        (.value(" x "), false),
    ])
    func tellsBlanks(given: Given<String>, isBlank: Bool) {
        #expect(given.isBlank == isBlank)
    }

    @Test func saysWhichFieldIsAtFault() {
        let error = AccountError(ErrorCode.Operators.fieldRequired, field: "client.user.first_name")
        #expect(error.message == "First name field missing.")
        #expect(AccountError(ErrorCode.Operators.wrongPassword).message == "Password is incorrect for this account.")
    }
}
