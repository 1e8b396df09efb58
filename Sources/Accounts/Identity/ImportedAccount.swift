import Store

/// An account in the export of another program, or one that administration creates.
package struct ImportedAccount: Sendable {
    /// A text of an account.
    package enum Property: String, CaseIterable, Sendable {
        case email, passwordHash = "password_hash", firstName = "first_name", lastName = "last_name", phone, role
        case source, brandID = "brand_id"
    }

    private var texts: [Property: String] = [:]
    /// When the account was created; nil for the time of the import.
    package var created: Timestamp?
    /// Whether the email belongs to the user.
    package var isConfirmed: Bool
    /// The event that adding the account leaves.
    var event = EventKind.imported
    /// Who asked administration for it.
    var actor: String?

    package init(isConfirmed: Bool) {
        self.isConfirmed = isConfirmed
    }

    /// A text; "" if the export has none, or a blank one.
    package subscript(_ property: Property) -> String {
        get { texts[property, default: ""] }
        set { texts[property] = newValue.isBlank ? nil : newValue }
    }
}

/// What the imports of the APIs have in common.
extension ImportedAccount {
    /// The email as it is stored, without spaces around it.
    var storedEmail: String { EmailAddress(self[.email])?.text ?? self[.email] }

    /// The hash of the password. An account without a password gets a hash that no password has, so that only a reset
    /// gives it a password.
    func storedHash(_ random: any RandomSource) -> String {
        let hash = self[.passwordHash]
        return hash.isEmpty ? Argon2idHasher.unusableHash(random).text : hash
    }

    /// The properties that are not blank, in the order of their declaration.
    var properties: [Property] { Property.allCases.filter { !self[$0].isEmpty } }

    /// A text; nil if there is none.
    func optional(_ property: Property) -> String? {
        self[property].isEmpty ? nil : self[property]
    }

    /// The source of a customer, if none is given.
    var standardSource: String { event == .imported ? "import" : "admin" }

    /// Records that the account was added.
    func record(_ id: Int, in audit: AuditTrail, at now: Timestamp, in tx: Transaction) throws {
        let detail = actor.map { EventDetail(actor: $0) }
        try audit.record(event, of: id, by: .admin, detail: detail, at: now, in: tx)
    }
}
