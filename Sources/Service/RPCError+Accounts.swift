import Accounts
import Platform
import JSON
package import JSONRPC
package import Store

/// Converts errors of the account APIs and of the store to JSON-RPC errors.
extension RPCError {
    /// The error that a method threw, in the format of its API. Errors of the store and unexpected errors are logged.
    init(_ error: any Error, method: Method, log: (String) -> Void) {
        let plain: RPCError
        switch error {
        case let error as AccountError: plain = RPCError(error)
        case let error as StoreError:
            log("store: \(error)")
            plain = RPCError(error)
        default:
            // Logs only the type, because the error's text may contain data of the request.
            log("\(method.name): unexpected \(type(of: error))")
            plain = .internalError
        }
        self = plain.formatted(for: method)
    }

    /// The error in the format of the method's API: its data begins with the properties that the contract states.
    func formatted(for method: Method) -> RPCError {
        let properties = method.api.errorData
        guard !properties.isEmpty else { return self }
        return RPCError(code: code, message: message, data: .object(properties + (data?.object ?? [])))
    }

    private init(_ error: AccountError) {
        var data: [JSONValue.Property] = [.init("errors", .array(error.codes.map { .string($0.slug) }))]
        if let field = error.field { data.append(.init("field", .string(field))) }
        if let seconds = error.retryAfter { data.append(.init("retry_after", .number(String(seconds)))) }
        self.init(code: error.codes[0].number, message: error.message, data: .object(data))
    }

    /// The error for an error of the store.
    package init(_ error: StoreError) {
        switch error {
        case .diskFull: self.init(AccountError(ErrorCode.Service.diskFull))
        case .readOnly, .writeInRead: self.init(AccountError(ErrorCode.Service.readOnly))
        case .busy, .locked: self.init(AccountError(ErrorCode.Service.busy))
        case .denied, .systemCall(_, .permissionDenied, _), .systemCall(_, .notPermitted, _):
            self.init(AccountError(ErrorCode.Service.accessDenied))
        case .damaged, .newerFormat, .systemCall: self.init(AccountError(ErrorCode.Service.damaged))
        case .duplicate, .exists, .missing, .noStore, .notAStore, .tooLarge, .unnamed, .untrustedFileSystem,
            .withinStore,
            .usedUp:
            self = .internalError
        }
    }
}
