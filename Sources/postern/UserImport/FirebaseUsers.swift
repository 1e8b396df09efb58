import Accounts
import JSON

/// The users in the output of `firebase auth:export users.json`:
///
///     {"users": [{"localId": "x", "email": "lasoren@bu.edu", "emailVerified": true, "passwordHash": "…", "salt": "…",
///      "displayName": "Luke Sorenson", "createdAt": "1456351672371"}]}
///
/// The first word of the display name is the first name, and the rest is the last name.
///
/// The hash of a password needs the parameters of the project, which the export does not have.
struct FirebaseUsers: UserExport {
    private let json: ExportedJSON
    private let parameters: FirebaseParameters?
    private let hasPhone: Bool
    private let isConfirmed: Bool

    /// - Parameter parameters: the project's parameters; nil if users with a password are refused.
    init(_ json: ExportedJSON, _ parameters: FirebaseParameters?, for api: Realm, isConfirmed: Bool) {
        (self.json, self.parameters, self.isConfirmed) = (json, parameters, isConfirmed)
        // The users of care may have a phone number. In the sales API, only some roles have one.
        hasPhone = api == .care
    }

    func forEach(_ body: (ExportedUser) throws -> Void) throws {
        try json.forEachElement(of: "users", form: "the object of firebase auth:export, with users") { object, number in
            guard object.object != nil else { throw json.failure("user \(number) is not an object") }
            try body(user(object, number))
        }
    }

    private func user(_ object: JSONValue, _ number: Int) -> ExportedUser {
        var user = ExportedUser(at: "user \(number)", isConfirmed: isConfirmed)
        user.account[.email] = user.text("email", of: object)
        if let isVerified = user.flag("emailVerified", of: object) { user.account.isConfirmed = isVerified }
        let names = user.text("displayName", of: object).split(separator: " ", maxSplits: 1)
        user.account[.firstName] = names.first.map { String($0) } ?? ""
        user.account[.lastName] = names.count > 1 ? String(names[1].drop { $0 == " " }) : ""
        if hasPhone { user.account[.phone] = user.text("phoneNumber", of: object) }
        let (hash, salt) = (user.text("passwordHash", of: object), user.text("salt", of: object))
        if !hash.isEmpty {
            if let parameters {
                user.account[.passwordHash] = parameters.hash(hash, salt: salt)
            } else {
                user.refuse(
                    "passwordHash",
                    "needs --firebase-hash; without passwordHash the user gets a password by a reset"
                )
            }
        }
        if user.flag("disabled", of: object) == true {
            user.refuse("disabled", "a disabled user could sign in after the import")
        }
        let created = user.text("createdAt", of: object)
        if !created.isEmpty {
            user.account.created = Int(created).flatMap(Timestamp.init(milliseconds:))
            if user.account.created == nil { user.refuse("createdAt", "not a time in milliseconds") }
        }
        return user
    }
}
