import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// The language of mails: that of the account, and for mails to strangers that of the account that causes them.
struct LocaleTests {
    private let environment = Environment(
        store: Store(engine: LocalEngine()),
        time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
        random: SystemRandom(),
        hasher: Argon2idHasher(),
        outbox: Outbox(composer: SecretComposer())
    )
    private let password = Given.value(Password("password".utf8))
    private var care: Care { Care(environment) }

    private func register(_ email: String, _ locale: Given<String>) throws -> Given<BearerToken> {
        let user = try care.register(
            email: .value(email),
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent,
            locale: locale
        ).finished(in: environment)
        try environment.store.transact { try care.prove(user, at: environment.time.now, in: $0) }
        return .value(try care.signIn(email: .value(email), password: password).finished(in: environment).bearer)
    }

    /// The recipients and subjects of the mails, which end with the locale.
    private func mails() throws -> [String] {
        try environment.store.transact { try environment.outbox.all(in: $0).map { "\($0.to) \($0.subject)" } }
    }

    @Test func everyMailOfAnAccountHasItsLocale() throws {
        let user = try register("a@b.co", .value("pt-BR"))
        _ = try register("taken@b.co", .value("de"))
        _ = try register("plain@b.co", .null)
        for _ in 1...Limits.failedSignInsMax {
            #expect(throws: AccountError.self) {
                try care.signIn(email: .value("a@b.co"), password: .value(Password("guess".utf8)))
                    .finished(in: environment)
            }
        }
        try care.changeEmail(user, currentPassword: password, email: .value("taken@b.co")).finished(in: environment)
        let patient = try care.patients(user, limit: .absent, offset: .absent).page[0].patient.id
        _ = try care.share(
            user,
            .value(patient),
            email: .value("friend@b.co"),
            access: .value("read"),
            group: .value("family")
        )
        _ = try care.resetPassword(email: .value("a@b.co")).finished(in: environment)
        #expect(
            try mails() == [
                "a@b.co care-confirmation in pt-BR", "taken@b.co care-confirmation in de",
                "plain@b.co care-confirmation", "a@b.co care-sign-in-locked in pt-BR",
                "taken@b.co care-email-taken in de", "a@b.co care-email-change-requested in pt-BR",
                "friend@b.co care-invitation in pt-BR", "a@b.co care-temporary-password in pt-BR",
            ]
        )
    }

    @Test(arguments: ["", "d", "de_AT", "../de", "d e", "é", String(repeating: "a", count: 36)])
    func refusesWhatIsNotTheNameOfADirectoryOfTemplates(locale: String) throws {
        let given = Given.value(locale)
        #expect(throws: AccountError(ErrorCode.Operators.fieldInvalid, field: "locale")) {
            try OperatorRules.locale(given, "locale")
        }
        #expect(throws: AccountError(ErrorCode.Care.invalidLocale)) { try CareRules.locale(given, "locale") }
        #expect(throws: AccountError(ErrorCode.Sales.invalidRequest, field: "locale")) {
            try SalesRules.locale(given, "locale")
        }
    }

    @Test(arguments: ["de", "pt-BR", "zh-Hant-TW", String(repeating: "a", count: 35)])
    func acceptsNamesOfLocales(locale: String) throws {
        #expect(try OperatorRules.locale(.value(locale), "locale") == locale)
    }
}
