import Accounts
import JSON
import Store

/// Why a request or background work failed.
///
/// Rules throw errors of the account APIs and of the store through the same functions, so those functions are untyped.
/// Here, where a request leaves the rules, every error gets its type.
enum Failure: Error {
    /// A rule refused the request.
    case account(AccountError)
    case store(StoreError)
    /// The params cannot be read.
    case params(JSONError)
    case replyTooLong
    /// An error that no code should throw. The value is the name of its type, because its text may contain data of the
    /// request.
    case unexpected(String)

    init(_ error: any Error) {
        self =
            switch error {
            case let error as AccountError: .account(error)
            case let error as StoreError: .store(error)
            case let error as JSONError: .params(error)
            case is ReplyTooLong: .replyTooLong
            default: .unexpected("\(type(of: error))")
            }
    }
}
