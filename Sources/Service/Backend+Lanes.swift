import Accounts
import JSON
import JSONRPC
import Store

/// Whose requests must stay in order.
extension Backend {
    /// The lane of the account that a request is about: its number where the request or the store tells it, else its
    /// email; nil for a request about no account, as is one that lacks the param which names it.
    ///
    /// - Throws: where the params are no object, and where the store cannot be read; the request ends with the same.
    func lane(of method: Method, params: UnsafeRawBufferPointer) throws -> Lane? {
        guard let param = method.accountParam else { return nil }
        let api = method.api
        switch param {
        case .userID:
            let id = try Given<Int>(member: param.name, of: params, Given.init(reading:))
            return lane(api, account: id.value)
        case .code, .token:
            guard let code = try text(param, of: params) else { return nil }
            return lane(api, account: MailedCodes.holder(of: code))
        case .email:
            let given = method == .operatorsRegister ? try personEmail(of: params) : try text(param, of: params)
            guard let email = given.flatMap({ EmailAddress($0)?.canonical }) else { return nil }
            return lane(api, account: try account(api, email: email)) ?? Lane("\(api.rawValue) \(email)")
        case .accessToken, .apiKey:
            guard let realm = Realm(rawValue: api.rawValue), let token = try text(param, of: params) else { return nil }
            let now = apis.environment.time.now
            let account = try store.read { try Sessions.account(of: realm, holding: token, at: now, in: $0) }
            return lane(api, account: account)
        }
    }

    private func lane(_ api: ErrorCode.API, account: Int?) -> Lane? {
        account.map { Lane("\(api.rawValue) \($0)") }
    }

    /// An email's account; nil where it has none.
    private func account(_ api: ErrorCode.API, email: String) throws -> Int? {
        try store.read { tx in
            switch api {
            case .operators: try tx.find(Operator.byEmail, Key(email))?.id
            case .sales: try tx.find(SalesUser.byEmail, Key(email))?.id
            case .care: try tx.find(CareUser.byEmail, Key(email))?.id
            case .service: nil
            }
        }
    }

    /// A param's string; nil where there is none.
    private func text(_ param: AccountParam, of params: UnsafeRawBufferPointer) throws(JSONError) -> String? {
        try Given<String>(member: param.name, of: params, Given.init(reading:)).value
    }

    /// The email of who registers as an operator, which stands a level down; nil where there is none.
    private func personEmail(of params: UnsafeRawBufferPointer) throws(JSONError) -> String? {
        var reader = JSONReader(params)
        return try OperatorsWire.RegisterParams(reading: &reader).user.value?.email.value
    }
}
