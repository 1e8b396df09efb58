import Accounts
import JSON

/// The users in the output of Django's `manage.py dumpdata auth.User`, an array of serialised objects:
///
///     {"model": "auth.user", "pk": 1, "fields": {"username": "luke", "email": "luke@bu.edu", "password": "pbkdf2_…",
///      "first_name": "Luke", "last_name": "Sorenson", "is_active": true, "date_joined": "2016-02-24T22:07:52.371Z"}}
///
/// A model is a user model if the last part of its name ends with `user`. Objects of other models are skipped. If there
/// is no email, a username that contains an `@` is the email.
struct DjangoUsers: UserExport {
    private let json: ExportedJSON
    private let isConfirmed: Bool

    init(_ json: ExportedJSON, isConfirmed: Bool) {
        (self.json, self.isConfirmed) = (json, isConfirmed)
    }

    func forEach(_ body: (ExportedUser) throws -> Void) throws {
        var models: Set<String> = []
        var hasUser = false
        try json.forEachElement(of: nil, form: "the array of manage.py dumpdata") { object, number in
            guard let model = object["model"]?.string, let fields = object["fields"], fields.object != nil else {
                throw json.failure("object \(number) has no model and fields, as in manage.py dumpdata")
            }
            guard Self.isUserModel(model) else {
                models.insert(model)
                return
            }
            hasUser = true
            try body(user(fields, number))
        }
        if !hasUser, !models.isEmpty {
            throw json.failure(
                "no object of a user model, such as auth.user, but of \(models.sorted().joined(separator: ", "))"
            )
        }
    }

    private static func isUserModel(_ model: String) -> Bool {
        (model.split(separator: ".").last ?? "").lowercased().hasSuffix("user")
    }

    private func user(_ fields: JSONValue, _ number: Int) -> ExportedUser {
        var user = ExportedUser(at: "object \(number)", isConfirmed: isConfirmed)
        user.account[.email] = user.text("email", of: fields)
        let username = user.text("username", of: fields)
        if user.account[.email].isEmpty, username.contains("@") { user.account[.email] = username }
        user.account[.firstName] = user.text("first_name", of: fields)
        user.account[.lastName] = user.text("last_name", of: fields)
        let hash = user.text("password", of: fields)
        // Django marks a user without a password by `!` and random characters.
        if !hash.hasPrefix("!") { user.account[.passwordHash] = hash }
        if user.flag("is_active", of: fields) == false {
            user.refuse("is_active", "an inactive user could sign in after the import")
        }
        let joined = user.text("date_joined", of: fields)
        if !joined.isEmpty {
            user.account.created = Timestamp(iso8601: joined)
            if user.account.created == nil { user.refuse("date_joined", "not a time of ISO 8601") }
        }
        return user
    }
}
