import Accounts
import JSON
import JSONRPC
import Store

/// The lanes of requests: requests about one account keep their order.
extension Backend {
    /// The lane of the account that a request is about. The lane's name contains the account's number if the request or
    /// the store gives it, otherwise the email. Nil if the request is about no account or lacks the param that names
    /// it.
    ///
    /// - Throws: if the params are not an object or the store cannot be read. The request ends with the same error.
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

    /// The number of the account with an email; nil if there is none.
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

    /// The value of a param; nil if it is not a string.
    private func text(_ param: AccountParam, of params: UnsafeRawBufferPointer) throws(JSONError) -> String? {
        try Given<String>(member: param.name, of: params, Given.init(reading:)).value
    }

    /// The email in the object `user` of a registration; nil if it is not a string.
    private func personEmail(of params: UnsafeRawBufferPointer) throws(JSONError) -> String? {
        var reader = JSONReader(params)
        return try OperatorsWire.RegisterParams(reading: &reader).user.value?.email.value
    }
}
