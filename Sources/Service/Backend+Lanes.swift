import Accounts
import JSON
import JSONRPC
import Store

/// Whose requests must stay in order.
extension Backend {
    /// The lane of the account that a request is about: its number where the request or the store tells it, else its
    /// email; nil for a request about no account.
    func lane(of method: Method, params: UnsafeRawBufferPointer) -> Lane? {
        guard let param = method.accountParam, let value = accountValue(param, in: params) else { return nil }
        let api = method.api
        switch param {
        case .userID: return lane(api, account: Int(value))
        case .code, .token: return lane(api, account: MailedCodes.holder(of: value))
        case .email:
            guard let email = EmailAddress(value)?.canonical else { return nil }
            return lane(api, account: account(api, email: email)) ?? Lane("\(api.rawValue) \(email)")
        case .accessToken, .apiKey:
            guard let realm = Realm(rawValue: api.rawValue) else { return nil }
            let (sessions, now) = (Sessions(realm, perAccountMax: 1), environment.time.now)
            return lane(api, account: try? store.transact { try sessions.account(holding: value, at: now, in: $0) })
        }
    }

    private func lane(_ api: ErrorCode.API, account: Int?) -> Lane? {
        account.map { Lane("\(api.rawValue) \($0)") }
    }

    /// An email's account. A store that cannot be read gives none here, and its error to the request itself.
    private func account(_ api: ErrorCode.API, email: String) -> Int? {
        try? store.transact { tx in
            switch api {
            case .operators: try tx.find(Operator.byEmail, Key(email))?.id
            case .sales: try tx.find(SalesUser.byEmail, Key(email))?.id
            case .care: try tx.find(CareUser.byEmail, Key(email))?.id
            case .service: nil
            }
        }
    }

    /// The param that names the account, as text.
    private func accountValue(_ param: AccountParam, in params: UnsafeRawBufferPointer) -> String? {
        guard let object = try? JSONValue(parsing: params), let value = object[param.rawValue] else { return nil }
        return value.string ?? value.int.map { String($0) }
    }
}
