import DirectoryStore
import Accounts
import JSONRPC
import Store
import Testing

@testable import Service

/// The account that a request belongs to, which determines its lane.
struct BackendLanesTests {
    private final class Composer: MailComposer {
        let domain = "x.co"

        func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText {
            MailText(subject: "x", text: secret)
        }
    }

    private let backend = Backend(
        store: Store(engine: LocalEngine()),
        time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
        random: DeterministicRandom(seed: 7),
        composer: Composer()
    )

    private func lane(_ method: Method, _ params: String) throws -> String? {
        try Array(params.utf8).withUnsafeBytes { try backend.lane(of: method, params: $0)?.name }
    }

    private static let numbers: [(String, String?)] = [
        (#"{"user_id":17}"#, "operators 17"), (#"{"user_id":17.0}"#, "operators 17"),
        (#"{"user_id":1.7e1}"#, "operators 17"), (#"{"\u0075ser_id":17}"#, "operators 17"),
        (#"{"user_id":1,"client":{"user_id":2},"user_id":17}"#, "operators 17"),
        (#"{"user_id":17,"user_id":"x"}"#, nil), (#"{"user_id":17,"user_id":null}"#, nil), (#"{"user_id":"17"}"#, nil),
        (#"{"user_id":17.5}"#, nil), (#"{"client":{"user_id":17}}"#, nil), ("{}", nil),
    ]

    /// The lane was once taken from the first of several properties with the same name, and from strings that the
    /// method does not accept as numbers.
    @Test(arguments: numbers)
    func readsParamsLikeTheMethods(params: String, lane: String?) throws {
        #expect(try self.lane(.operatorsClientsGet, params) == lane)
    }

    private static let accounts: [(Method, String, String?)] = [
        (.careUserRegister, #"{"email":"Foo@Bar.com"}"#, "care foo@bar.com"),
        (.careUserRegister, #"{"email":"c@d.co","email":"foo@bar.com"}"#, "care foo@bar.com"),
        (.careUserRegister, #"{"email":"foo"}"#, nil), (.careUserRegister, #"{"email":7}"#, nil),
        // Registering as an operator once had no lane, so a sign-in could overtake it.
        (.operatorsRegister, #"{"user":{"email":"Foo@Bar.com"},"password":"p"}"#, "operators foo@bar.com"),
        (.operatorsRegister, #"{"email":"foo@bar.com","user":7}"#, nil),
        (.salesUserReset, #"{"email":"foo@bar.com"}"#, "sales foo@bar.com"),
        (.salesUserVerify, #"{"token":"17-5f0c"}"#, "sales 17"), (.salesUserVerify, #"{"token":"5f0c"}"#, nil),
        (.operatorsConfirmEmail, #"{"code":"17-5f0c"}"#, "operators 17"),
        (.careUserView, #"{"access_token":"5f0c"}"#, nil), (.careUserView, #"{"access_token":null}"#, nil),
        (.systemInfo, #"{"user_id":17,"email":"foo@bar.com"}"#, nil),
    ]

    @Test(arguments: accounts)
    func findsTheAccountInTheMethodsParams(method: Method, params: String, lane: String?) throws {
        #expect(try self.lane(method, params) == lane)
    }

    @Test func findsTheAccountOfAnEmailOrAToken() throws {
        _ = try backend.apis.care.register(
            email: .value("foo@bar.com"),
            password: .value(Password("p".utf8)),
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(with: backend.apis)
        let token = try backend.apis.care.signIn(email: .value("foo@bar.com"), password: .value(Password("p".utf8)))
            .finished(with: backend.apis).text
        #expect(try lane(.careAuthToken, #"{"email":"FOO@bar.com"}"#) == "care 1")
        #expect(try lane(.careUserView, #"{"access_token":"x","access_token":"\#(token)"}"#) == "care 1")
        #expect(try lane(.salesUserMe, #"{"api_key":"\#(token)"}"#) == nil)
        #expect(try lane(.salesUserReset, #"{"email":"foo@bar.com"}"#) == "sales foo@bar.com")
    }

    @Test func throwsIfParamsCannotBeRead() {
        #expect(throws: (any Error).self) { try lane(.careUserView, "[]") }
    }
}
