import Accounts
import JSON
import JSONRPC
import Store

/// The lanes of requests: requests about one account keep their order.
extension Backend {
    /// The lane of the account that a request is about. The lane's name contains the account's number if the request or
    /// the store gives it, otherwise the email. A remote store is not asked, because the loop would wait for it: then
    /// the name contains what the request gives, and only requests that name the account in the same way keep their
    /// order. Nil if the request is about no account or lacks the param that names it.
    ///
    /// - Throws: if the params are not an object or the store cannot be read. The request ends with the same error.
    func lane(of method: Method, params: UnsafeRawBufferPointer) throws -> Lane? {
        guard let param = method.accountParam else { return nil }
        let api = method.api
        switch param {
        case .number(let name):
            let id = try Given<Int>(property: name, of: params, Given.init(reading:))
            return api.realm.flatMap { lane($0, id.value) }
        case .reference(let name):
            guard let reference = try text(name, of: params).flatMap({ AccountReference($0) }) else { return nil }
            let number: Int? = try isRemote ? reference.number : store.read { tx in try reference.number(in: tx) }
            return lane(reference.realm, number, reference.email)
        case .code(let name):
            guard let code = try text(name, of: params) else { return nil }
            return api.realm.flatMap { lane($0, MailedCodes.holder(of: code)) }
        case .email(let name, let property):
            let given = try property.map { try text($0, in: name, of: params) } ?? text(name, of: params)
            // A method of administration names the API in a param.
            let realm = try api.realm ?? text("api", of: params).flatMap { Realm(rawValue: $0) }
            guard let realm, let email = given.flatMap({ EmailAddress($0)?.canonical }) else { return nil }
            let account: Int? = try isRemote ? nil : store.read { tx in try realm.account(of: email, in: tx) }
            return lane(realm, account, email)
        case .session(let name):
            guard let realm = api.realm, let token = try text(name, of: params) else { return nil }
            guard !isRemote else { return Lane("\(realm.rawValue) \(token)") }
            let now = apis.environment.time.now
            let bearer = BearerToken(token)
            let account = try store.read { try Sessions.account(of: realm, holding: bearer, at: now, in: $0) }
            return lane(realm, account)
        }
    }

    /// - Parameter email: the email of an account that does not exist yet.
    private func lane(_ realm: Realm, _ account: Int?, _ email: String? = nil) -> Lane? {
        (account.map { String($0) } ?? email).map { Lane("\(realm.rawValue) \($0)") }
    }

    /// The value of a param; nil if it is not a string.
    private func text(_ param: StaticString, of params: UnsafeRawBufferPointer) throws(JSONError) -> String? {
        try Given<String>(property: param, of: params, Given.init(reading:)).value
    }

    /// The value of a property of a param; nil if it is not a string.
    private func text(
        _ property: StaticString,
        in param: StaticString,
        of params: UnsafeRawBufferPointer
    ) throws(JSONError) -> String? {
        let given = try Given<Given<String>>(property: param, of: params) { reader throws(JSONError) in
            try Given(object: &reader) { reader throws(JSONError) in
                try Given<String>(property: property, of: &reader, Given.init(reading:))
            }
        }
        return given.value?.value
    }
}

/// The param that identifies the account of a request.
package enum AccountParam: Sendable {
    /// The param is the account's number.
    case number(StaticString)
    /// The param is the account's API, and its number or email.
    case reference(StaticString)
    /// The param is the account's email, or has the email as a property.
    case email(StaticString, StaticString? = nil)
    /// The param is a code from a mail to the account.
    case code(StaticString)
    /// The param is a credential of one of the account's sessions.
    case session(StaticString)
}
