import Accounts
import JSON

/// The users in the output of `firebase auth:export users.json`:
///
///     {"users": [{"localId": "x", "email": "lasoren@bu.edu", "emailVerified": true, "passwordHash": "…", "salt": "…",
///      "displayName": "Luke Sorenson", "createdAt": "1456351672371"}]}
///
/// The first word of the display name is the first name, and the rest is the last name.
///
/// A user with a password is refused: Firebase's variant of scrypt encrypts with AES in counter mode, which neither
/// libsodium nor libcrypt exports. Without its `passwordHash`, the user gets a password by a reset.
struct FirebaseUsers: UserExport {
    private let json: ExportedJSON
    private let hasPhone: Bool
    private let isConfirmed: Bool

    init(_ json: ExportedJSON, for api: Realm, isConfirmed: Bool) {
        (self.json, self.isConfirmed) = (json, isConfirmed)
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
        if !user.text("passwordHash", of: object).isEmpty {
            user.refuse(
                "passwordHash",
                "Firebase's scrypt cannot be verified; without passwordHash the user sets a password by a reset"
            )
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
