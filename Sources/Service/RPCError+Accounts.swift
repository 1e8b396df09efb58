import Accounts
import Platform
import JSON
package import JSONRPC
package import Store

/// Converts errors of the account APIs and of the store to JSON-RPC errors.
extension RPCError {
    /// The error for a failed call, in the format of the method's API. Errors of the store and unexpected errors are
    /// logged.
    init(_ failure: Failure, method: Method, log: (String) -> Void) {
        let plain: RPCError
        switch failure {
        case .account(let error): plain = RPCError(error)
        case .replyTooLong: plain = .replyTooLong
        case .store(let error):
            log("store: \(error)")
            plain = RPCError(error)
        case .params:
            log("\(method.name): unexpected JSONError")
            plain = .internalError
        case .unexpected(let type):
            log("\(method.name): unexpected \(type)")
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

    /// The error for a refused request.
    ///
    /// - Parameter unknown: an unknown property, which the message names: the caller may have misspelt a required one.
    init(_ error: AccountError, hint unknown: UnknownProperty? = nil) {
        var data: [JSONValue.Property] = [.init("errors", .array(error.codes.map { .string($0.slug) }))]
        if let field = error.field { data.append(.init("field", .string(field))) }
        if let seconds = error.retryAfter { data.append(.init("retry_after", .number(String(seconds)))) }
        var message = error.message
        if let unknown {
            let name = unknown.path + unknown.hint
            // Messages from the API documents end with a full stop, those of the service do not.
            message += message.hasSuffix(".") ? " There is no property \(name)." : "; there is no property \(name)"
        }
        self.init(code: error.codes[0].number, message: message, data: .object(data))
    }

    /// The error for an error of the store.
    package init(_ error: StoreError) {
        switch error {
        case .diskFull, .serverDiskFull: self.init(AccountError(ErrorCode.Service.diskFull))
        case .readOnly, .writeInRead: self.init(AccountError(ErrorCode.Service.readOnly))
        case .busy, .locked: self.init(AccountError(ErrorCode.Service.busy))
        case .contended(_, let seconds): self.init(AccountError(ErrorCode.Service.busy, retryAfter: seconds))
        case .unavailable(_, let seconds):
            self.init(AccountError(ErrorCode.Service.unavailable, retryAfter: seconds))
        case .outcomeUnknown: self.init(AccountError(ErrorCode.Service.outcomeUnknown))
        case .denied, .systemCall(_, .permissionDenied, _), .systemCall(_, .notPermitted, _):
            self.init(AccountError(ErrorCode.Service.accessDenied))
        case .damaged, .newerFormat, .serverFailed, .systemCall, .unusable:
            self.init(AccountError(ErrorCode.Service.damaged))
        case .duplicate, .exists, .missing, .noStore, .notAStore, .tooLarge, .unnamed, .untrustedFileSystem,
            .withinStore,
            .usedUp:
            self = .internalError
        }
    }
}
