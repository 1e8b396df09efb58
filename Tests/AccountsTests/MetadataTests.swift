import DirectoryStore
import JSON
import PosternTesting
import Store
import Testing

@testable import Accounts

struct MetadataTests {
    private let environment = Environment(
        store: Store(engine: LocalEngine()),
        time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
        random: SystemRandom(),
        hasher: Argon2idHasher(),
        outbox: Outbox(composer: SecretComposer())
    )
    private let password = Given.value(Password("password".utf8))
    private var store: Store { environment.store }
    private var operators: Operators { Operators(environment, AccountSettings(operatorsConfirmEmail: false)) }
    private var care: Care { Care(environment) }

    private func register(_ email: String = "a@b.co") throws -> SessionFields {
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value(email))
        let signedIn = try operators.register(person: .value(person), password: password).finished(in: environment)
        return SessionFields(userID: .value(signedIn.account.id), sessionID: .value(signedIn.session.bearer))
    }

    private func object(_ text: String) throws -> CompactObject {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            return try CompactObject(reading: &reader)
        }
    }

    /// Sets the metadata of administration.
    @discardableResult
    private func setAppMetadata<API: AccountAPI>(
        _ api: API,
        _ id: Int = 1,
        to object: Given<CompactObject>
    ) throws -> Metadata {
        let operation = try AccountOperation(account: .value("\(API.realm.rawValue):\(id)"))
        return try api.setAppMetadata(operation, to: object)
    }

    private func text(_ object: CompactObject) -> String { String(decoding: object.bytes, as: UTF8.self) }

    private func records() throws -> [AccountMetadata] { try store.transact { try $0.all(AccountMetadata.self) } }

    @Test func accountAndAdministrationSetTheirOwnObjects() throws {
        let (session, other) = (try register(), try register("other@b.co"))
        _ = try operators.setMetadata(session, metadata: .value(object(#"{"plan":"gold"}"#)))
        let both = try setAppMetadata(operators, to: .value(object(#"{"plan":"free"}"#)))
        #expect(text(both.metadata) == #"{"plan":"gold"}"#)
        #expect(text(both.appMetadata) == #"{"plan":"free"}"#)
        let replaced = try operators.setMetadata(session, metadata: .value(object(#"{"theme":"dark"}"#)))
        #expect(text(replaced.metadata) == #"{"theme":"dark"}"#)
        #expect(text(replaced.appMetadata) == #"{"plan":"free"}"#)
        let shown = try operators.metadata(session)
        #expect(shown.metadata == replaced.metadata && shown.appMetadata == replaced.appMetadata)
        let others = try operators.metadata(other)
        #expect(others.metadata == CompactObject() && others.appMetadata == CompactObject())
        #expect(try records().map(\.account) == [1])
    }

    /// An account with the same number in another API has other metadata.
    @Test func isSeparateInEachAPI() throws {
        let session = try register()
        _ = try care.register(
            email: .value("a@b.co"),
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: environment)
        try setAppMetadata(care, to: .value(object(#"{"api":"care"}"#)))
        #expect(try operators.metadata(session).appMetadata == CompactObject())
        #expect(try records().map(\.realm) == ["care"])
    }

    @Test func storesNoRecordForEmptyObjects() throws {
        let session = try register()
        _ = try operators.setMetadata(session, metadata: .value(CompactObject()))
        #expect(try records() == [])
        _ = try operators.setMetadata(session, metadata: .value(object(#"{"a":1}"#)))
        try setAppMetadata(operators, to: .value(object(#"{"b":2}"#)))
        _ = try operators.setMetadata(session, metadata: .value(CompactObject()))
        #expect(try records().map { text($0.appMetadata) } == [#"{"b":2}"#])
        try setAppMetadata(operators, to: .value(CompactObject()))
        #expect(try records() == [])
    }

    @Test func isDeletedWithTheAccount() throws {
        let session = try register()
        _ = try operators.setMetadata(session, metadata: .value(object(#"{"a":1}"#)))
        try setAppMetadata(operators, to: .value(object(#"{"b":2}"#)))
        _ = try operators.delete(session, currentPassword: password).finished(in: environment)
        #expect(try records() == [])
        let unknown = AccountError(ErrorCode.Admin.accountNotFound)
        #expect(throws: unknown) { try setAppMetadata(operators, to: .value(object(#"{"b":2}"#))) }
        #expect(try records() == [])
    }

    @Test func refusesMetadataOfAnUnknownAccount() throws {
        _ = try register()
        let unknown = AccountError(ErrorCode.Admin.accountNotFound)
        #expect(throws: unknown) { try setAppMetadata(operators, 2, to: .value(object(#"{"a":1}"#))) }
        #expect(try records() == [])
    }

    private static let atTheBounds: [(text: String, isValid: Bool)] = [
        (text(bytes: Limits.metadataBytesMax), true), (text(bytes: Limits.metadataBytesMax + 1), false),
        (text(levels: Limits.metadataDepthMax), true), (text(levels: Limits.metadataDepthMax + 1), false),
    ]

    private static func text(bytes: Int) -> String { #"{"a":""# + String(repeating: "x", count: bytes - 8) + #""}"# }

    private static func text(levels: Int) -> String {
        #"{"a":"# + String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1) + "}"
    }

    @Test(arguments: atTheBounds)
    func bothObjectsHaveTheSameBounds(text: String, isValid: Bool) throws {
        let session = try register()
        let object = try object(text)
        let invalid = AccountError(ErrorCode.Operators.fieldInvalid, field: "metadata")
        let invalidByAdmin = AccountError(ErrorCode.Admin.invalidRequest, field: "app_metadata")
        if isValid {
            #expect(try operators.setMetadata(session, metadata: .value(object)).metadata == object)
            #expect(try setAppMetadata(operators, to: .value(object)).appMetadata == object)
        } else {
            #expect(throws: invalid) { try operators.setMetadata(session, metadata: .value(object)) }
            #expect(throws: invalidByAdmin) { try setAppMetadata(operators, to: .value(object)) }
            #expect(try records() == [])
        }
    }

    @Test func refusesWhatIsNoObject() throws {
        let session = try register()
        let invalid = ErrorCode.Operators.fieldInvalid
        for given in [Given<CompactObject>.absent, .null] {
            #expect(throws: AccountError(ErrorCode.Admin.invalidRequest, field: "app_metadata")) {
                try setAppMetadata(operators, to: given)
            }
        }
        #expect(throws: AccountError(invalid, field: "metadata", expectedType: "an object")) {
            try operators.setMetadata(session, metadata: .mistyped)
        }
        // The credential is checked first.
        let unknown = SessionFields(userID: .value(1), sessionID: .value(BearerToken("x")))
        #expect(throws: AccountError(ErrorCode.Operators.authenticationFailed)) {
            try operators.setMetadata(unknown, metadata: .mistyped)
        }
    }
}
