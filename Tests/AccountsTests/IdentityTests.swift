import CLibrary
import DirectoryStore
import Store
import Testing
import PosternTesting

@testable import Accounts

/// Rules that all three APIs share, with a store in memory.
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
            // After the lock, a failure counts as the first of ten.
            try lockout.fail(1, at: start.adding(seconds: 3_600), in: tx)
            #expect(try lockout.secondsLeft(for: 1, at: start.adding(seconds: 3_600), in: tx) == nil)
        }
    }

    @Test func locksEachAccountRealmAndScopeSeparately() throws {
        try store.transact { tx in
            for _ in 1...10 { try Lockout(.care).fail(1, at: start, in: tx) }
            #expect(try Lockout(.care).secondsLeft(for: 2, at: start, in: tx) == nil)
            #expect(try Lockout(.sales).secondsLeft(for: 1, at: start, in: tx) == nil)
            #expect(try Lockout(.care, .passwordChange).secondsLeft(for: 1, at: start, in: tx) == nil)
            try Lockout(.care).deleteCount(of: 1, in: tx)
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
    func refusesMalformedCodes(code: String) throws {
        let codes = MailedCodes(.operators)
        try store.transact { tx in
            _ = try codes.issue(.reset, for: 17, secret: "5f0c", at: start, in: tx)
            #expect(try codes.redeem(.reset, code, at: start, in: tx) == nil)
            #expect(try codes.redeem(.reset, "17-5f0c", at: start, in: tx) == 17)
        }
    }

    @Test func refusesAnExpiredCode() throws {
        let codes = MailedCodes(.operators)
        try store.transact { tx in
            let late = try codes.issue(.reset, for: 1, secret: "aa", at: start, in: tx)
            #expect(try codes.redeem(.reset, late, at: start.adding(seconds: 3_600), in: tx) == nil)
        }
    }

    /// Ten wrong guesses once invalidated a code, so an attacker could invalidate anyone's code.
    @Test func keepsACodeDespiteWrongGuesses() throws {
        let codes = MailedCodes(.operators)
        let code = try store.transact { try codes.issue(.reset, for: 2, secret: "bb", at: start, in: $0) }
        let before = try store.transact { try $0.get(MailedCode.self, Key("operators", "reset", 2)) }
        for _ in 1...50 { #expect(try store.transact { try codes.redeem(.reset, "2-cc", at: start, in: $0) } == nil) }
        #expect(try store.transact { try $0.get(MailedCode.self, Key("operators", "reset", 2)) } == before)
        #expect(try store.transact { try codes.find(.reset, code, at: start, in: $0) } == 2)
        #expect(try store.transact { try codes.redeem(.reset, code, at: start, in: $0) } == 2)
    }

    @Test func acceptsAUsedConfirmationCodeForADay() throws {
        let codes = MailedCodes(.operators)
        try store.transact { tx in
            let code = try codes.issue(.confirm, for: 2, secret: "bb", at: start, in: tx)
            let use = start.adding(seconds: 86_399)
            #expect(try codes.redeem(.confirm, code, at: use, in: tx) == 2)
            // A password change ends unused codes, and this one is used.
            try codes.deleteUnused(of: 2, in: tx)
            #expect(try codes.redeem(.confirm, code, at: use.adding(seconds: 86_399), in: tx) == 2)
            #expect(try codes.redeem(.confirm, code, at: use.adding(seconds: 86_400), in: tx) == nil)
        }
    }

    @Test func endsAllUnusedCodesOfAnAccount() throws {
        let codes = MailedCodes(.sales)
        try store.transact { tx in
            let purposes: [MailedCodes.Purpose] = [.confirm, .reset, .verify]
            let out = try purposes.map { ($0, try codes.issue($0, for: 2, secret: "bb", at: start, in: tx)) }
            // The holder of a claim code is a share, which may have the same number as an account.
            let claim = try codes.issue(.claim, for: 2, secret: "cc", at: start, in: tx)
            try codes.deleteUnused(of: 2, in: tx)
            for (purpose, code) in out { #expect(try codes.redeem(purpose, code, at: start, in: tx) == nil) }
            #expect(try codes.redeem(.claim, claim, at: start, in: tx) == 2)
        }
    }

    // MARK: Quotas

    private func admit(
        _ kind: MailKind = .careInvitation,
        to text: String = "a@b.co",
        from cause: MailCause? = nil,
        at time: Timestamp
    ) throws -> Int? {
        let address = try #require(EmailAddress(text))
        return try store.transact { tx in
            let hash = try KeyedHash(of: address.canonical, newKey: "00", in: tx)
            return try MailQuotas(kind, to: hash, isSent: true, cause: cause).admit(at: time, in: tx)
        }
    }

    @Test func admitsFiveMailsOfAKindToAnAddressInAnHour() throws {
        for second in 0..<5 { #expect(try admit(at: start.adding(seconds: second)) == nil) }
        let kept = try store.transact { try $0.all(MailQuota.self) }
        #expect(try admit(to: "A@B.co", at: start.adding(seconds: 5)) == 3_595)
        #expect(try store.transact { try $0.all(MailQuota.self) } == kept, "a refusal writes nothing")
        #expect(try admit(.careTemporaryPassword, at: start) == nil)
        #expect(try admit(to: "c@d.co", at: start) == nil)
        #expect(try admit(at: start.adding(seconds: 3_600)) == nil)
    }

    @Test func admitsAHundredMailsToOthersInADay() throws {
        let cause = MailCause(.care, account: 7)
        for number in 0..<100 { #expect(try admit(to: "a\(number)@b.co", from: cause, at: start) == nil) }
        #expect(try admit(to: "x@b.co", from: cause, at: start.adding(seconds: 10)) == 86_390)
        #expect(try admit(to: "x@b.co", from: MailCause(.care, account: 8), at: start) == nil)
        #expect(try admit(to: "y@b.co", from: cause, at: start.adding(seconds: 86_400)) == nil)
    }

    /// Quotas once stored addresses permanently.
    @Test func storesNoAddressInAQuota() throws {
        _ = try admit(at: start)
        let quotas = try store.transact { try $0.all(MailQuota.self) }
        #expect(quotas.count == 1 && quotas.allSatisfy { !"\($0)".contains("a@b.co") })
    }

    /// Each invented address once left a row permanently.
    @Test func limitsTheRowsOfInventedAddresses() throws {
        let outbox = Outbox(composer: SecretComposer())
        let mail = MailSecrets(SystemRandom())
        try store.transact { tx in
            for number in 0..<40_000 {
                let address = try #require(EmailAddress("a\(number)@b.co"))
                try outbox.postDecoy(.salesReset, .reset, to: address, mail, at: start, in: tx)
                let email = try SignInLockout.UnknownEmail(
                    address.canonical,
                    from: .unknown,
                    newKey: "00",
                    in: tx
                )
                try SignInLockout(.sales).failUnknown(email, at: start, in: tx)
            }
            #expect(try (10_000...16_384).contains(tx.count(MailQuota.self)))
            #expect(try (10_000...16_384).contains(tx.count(UnknownFailures.self)))
            #expect(try tx.count(DecoyMail.self) == 1 && tx.count(OutboxMail.self) == 0)
            #expect(try tx.count(MailedCode.self) == 0)
        }
        // The rows are swept, a limited number at a time.
        var sweeps = 1
        while try store.transact({ try Sweep.run(at: start.adding(seconds: 86_400), audit: AuditBounds(), in: $0) }) {
            sweeps += 1
        }
        #expect((10...18).contains(sweeps))
        let left = try store.transact { try $0.count(MailQuota.self) + $0.count(UnknownFailures.self) }
        #expect(left == 0)
    }

    // MARK: After a clock that was ahead

    private let year = 365 * 86_400

    @Test func locksForAtMostAnHourAfterAClockThatWasAhead() throws {
        let lockout = Lockout(.care)
        try store.transact { tx in
            for _ in 1...10 { try lockout.fail(1, at: start.adding(seconds: year), in: tx) }
            #expect(try lockout.secondsLeft(for: 1, at: start, in: tx) == 3_600)
            _ = try Sweep.run(at: start, audit: AuditBounds(), in: tx)
            #expect(try lockout.secondsLeft(for: 1, at: start.adding(seconds: 3_599), in: tx) == 1)
            #expect(try lockout.secondsLeft(for: 1, at: start.adding(seconds: 3_600), in: tx) == nil)
        }
    }

    @Test func restartsAQuotaAfterAClockThatWasAhead() throws {
        for _ in 1...5 { #expect(try admit(at: start.adding(seconds: year)) == nil) }
        #expect(try admit(at: start) == nil)
    }

    @Test func limitsTheLifeOfACodeAfterAClockThatWasAhead() throws {
        let codes = MailedCodes(.care)
        try store.transact { tx in
            let code = try codes.issue(.claim, for: 1, secret: "aa", at: start.adding(seconds: year), in: tx)
            _ = try Sweep.run(at: start, audit: AuditBounds(), in: tx)
            #expect(try codes.find(.claim, code, at: start.adding(seconds: 7 * 86_400 - 1), in: tx) == 1)
            #expect(try codes.find(.claim, code, at: start.adding(seconds: 7 * 86_400), in: tx) == nil)
        }
    }

    // MARK: Passwords and tokens

    @Test func verifiesItsOwnHashes() throws {
        let hasher = Argon2idHasher()
        let hash = try hasher.hash(Password("pass\0word".utf8))
        #expect(hash.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try hasher.verify(Password("pass\0word".utf8), against: hash))
        #expect(
            try !hasher.verify(Password("pass\0worD".utf8), against: hash)
                && !hasher.verify(Password("pass".utf8), against: hash)
        )
        #expect(!hasher.needsRehash(hash) && !hasher.needsRehash(hasher.decoy))
        #expect(try !hasher.verify(Password("".utf8), against: hasher.decoy))
    }

    /// BLAKE2b-256 of "abc", as `b2sum -l 256` prints it.
    @Test func hashesTokens() {
        let hash = SecretToken.Hash(of: "abc")
        #expect(hash.text == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
        #expect(Key(hash).text == hash.text)
    }

    @Test func repeatsRandomValuesOnlyInDeterministicMode() {
        #expect(DeterministicRandom(seed: 7).bytes(32) == DeterministicRandom(seed: 7).bytes(32))
        #expect(DeterministicRandom(seed: 7).bytes(32) != DeterministicRandom(seed: 8).bytes(32))
        #expect(SystemRandom().bytes(32) != SystemRandom().bytes(32))
        let random = DeterministicRandom(seed: 7)
        #expect(random.bytes(32) != random.bytes(32))
        let uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(random.uuid().wholeMatch(of: uuid) != nil)
    }

    // MARK: Param values

    @Test(arguments: [
        (Given<String>.absent, true), (.null, true), (.mistyped, false), (.value(""), true),
        (.value(" \t\u{2003}"), true),
        (.value(" x "), false), (.value("\u{200B}\u{2060}"), true), (.value("\u{301}"), true), (.value("\0"), false),
        (.value(" \u{E9}"), false),
    ])
    func recognizesBlanks(given: Given<String>, isBlank: Bool) {
        #expect(given.isBlank == isBlank)
    }

    @Test(arguments: ["a\0", "a\nb", "\u{7F}", "a\u{85}", "a\u{2028}b", "a\u{2029}"])
    func refusesControlCharactersAndLineSeparators(text: String) {
        #expect(Given.value(text).text(charactersMax: 200) == nil)
    }

    @Test(arguments: ["a", "é\u{301}", "👩‍👩‍👧", "日本 語", ""])
    func acceptsAnyOtherText(text: String) {
        #expect(Given.value(text).text(charactersMax: 200) == text)
    }

    @Test func acceptsCodesWithSurroundingWhiteSpace() {
        for text in ["17-5f0c", " 17-5f0c\r\n", "\u{A0}17-5f0c\t"] {
            #expect(Given.value(text).code() == "17-5f0c")
            #expect(MailedCodes.holder(of: text) == 17)
        }
        #expect(Given.value(String(repeating: "1", count: 65)).code() == nil)
        #expect(Given.value(String(repeating: " ", count: 2_000)).code() == nil)
    }

    /// A blank name of 8 MB once took 0.7 seconds, because its length was checked last.
    @Test func checksTheLengthFirst() {
        let texts = [String(repeating: "\u{2003}", count: 3_000_000), String(repeating: " ", count: 8_000_000)]
        let start = threadSeconds()
        for text in texts {
            let given = Given.value(text)
            #expect(!given.isBlank && given.text(charactersMax: 1_000) == nil && given.code() == nil)
            #expect(EmailAddress(text) == nil)
        }
        // Checking each character would take a hundred times as long.
        #expect(threadSeconds() - start < 0.05)
        #expect(Given.value(Password(texts[1].utf8)).password == nil)
    }

    /// The processor time of this thread; elapsed time would depend on other processes.
    private func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test func namesTheInvalidField() {
        let error = AccountError(ErrorCode.Operators.fieldRequired, field: "client.user.first_name")
        #expect(error.message == "First name field missing.")
        #expect(AccountError(ErrorCode.Operators.wrongPassword).message == "Password is incorrect for this account.")
    }
}
