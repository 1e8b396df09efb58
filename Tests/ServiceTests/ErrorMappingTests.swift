import Accounts
@testable import JSON
import JSONRPC
import Store
import Platform
import Testing

@testable import Service

/// How errors of the lower layers are reported to clients.
struct ErrorMappingTests {
    private static let store: [(error: StoreError, code: Int, slug: String)] = [
        (.diskFull, 507, "disk_full"), (.serverDiskFull, 507, "disk_full"), (.readOnly, 405, "read_only"),
        (.writeInRead, 405, "read_only"),
        (.busy("x"), 423, "busy"),
        (.damaged(file: "journal-1.jsonl", offset: 7, reason: "x"), 500, "damaged"),
        (.systemCall(name: "write", .inputOutput, outcomeUnknown: true), 500, "damaged"),
    ]

    @Test(arguments: store.indices)
    func mapsStoreErrorsToTheirCodes(_ row: Int) {
        let (fault, code, slug) = Self.store[row]
        let error = RPCError(fault)
        #expect(error.code == code && error.data?["errors"] == .array([.string(slug)]))
        #expect(!error.message.contains("journal"))
    }

    @Test func hidesTheDetailsOfAnInternalError() {
        struct Surprise: Error { let secret = "s3cret" }
        var log: [String] = []
        let error = RPCError(Failure(Surprise()), method: .operatorsSignin) { log.append($0) }
        #expect(error == .internalError)
        #expect(log == ["operators.signin: unexpected Surprise"])
    }

    private static let faults: [(error: any Error, data: JSONValue?)] = [
        (AccountError(ErrorCode.Care.invalidNpi), ["errors": ["invalid_npi"]]),
        (
            AccountError(ErrorCode.Sales.tooManyAttempts, retryAfter: 60),
            ["errors": ["too_many_attempts"], "retry_after": 60]
        ),
        (
            AccountError(ErrorCode.Operators.fieldInvalid, field: "user.email"),
            ["errors": ["field_invalid"], "field": "user.email"]
        ),
        (StoreError.diskFull, ["errors": ["disk_full"]]), (StoreError.duplicate(index: "x"), nil),
        (CancellationError(), nil),
    ]

    /// Store errors once lacked `success`, because they were mapped without regard to the request's API.
    @Test(arguments: faults.indices)
    func addsSuccessFalseInTheCareAPI(_ row: Int) {
        let (fault, data) = Self.faults[row]
        #expect(RPCError(Failure(fault), method: .salesUserMe) { _ in }.data == data)
        let properties = [JSONValue.Property("success", false)] + (data?.object ?? [])
        #expect(RPCError(Failure(fault), method: .careUserChange) { _ in }.data == .object(properties))
    }

    @Test func keepsTheErrorCodesOfTheAPIs() {
        #expect(
            RPCError(.account(AccountError(ErrorCode.Sales.tooManyAttempts)), method: .salesUserMe) { _ in }.code == 429
        )
        #expect(
            RPCError(.account(AccountError(ErrorCode.Operators.fieldInvalid)), method: .operatorsSignin) { _ in }.code
                == -3
        )
    }

    /// JSON-RPC 2.0 §5.1 reserves this range.
    @Test func keepsDomainCodesOutOfTheReservedRange() {
        let codes = [ErrorCode.Operators.authenticationFailed, ErrorCode.Care.invalidCode, ErrorCode.Service.busy]
        #expect(codes.allSatisfy { !(-32_768...(-32_000)).contains($0.number) })
    }

    @Test(arguments: Method.allCases)
    func findsEachMethodByItsName(_ method: Method) {
        let name = method.name.description
        let found = Array(name.utf8).withUnsafeBytes { Method.named(JSONText(bytes: $0, hasEscapes: false)) }
        #expect(found == method)
        let other = Array((name + "x").utf8).withUnsafeBytes { Method.named(JSONText(bytes: $0, hasEscapes: false)) }
        #expect(other == nil)
    }
}
