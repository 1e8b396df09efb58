package import Store

extension CareUser: PasswordAccount {
    package static let collection = Collection<CareUser>("care.users", isNumbered: true, unique: [byEmail])
    package static let byEmail = UniqueIndex<CareUser>("email", steady: \.email) { Key($0.email.lowercased()) }

    package var key: Key { Key(id) }

    package var names: [String] { [firstName, lastName] }

    package func describe(in summary: inout AccountSummary) {
        (summary.role, summary.phone) = (role, phone.isEmpty ? nil : phone)
    }

    package func describe(in details: inout AccountDetails) {
        details.npi = isClinician && !npi.isEmpty ? npi : nil
    }

    package mutating func setPassword(_ hash: PasswordHash, temporaryUntil end: Timestamp?) {
        passwordHash = hash.text
        hasTemporaryPassword = end != nil
        temporaryUntil = end
    }

    package var isEmailProven: Bool { isProven }

    package mutating func proveEmail(_ address: String) {
        email = address
        isProven = true
    }

    /// Whether the user is a clinician, and may have an npi.
    package var isClinician: Bool { role == CareRole.clinician.rawValue }
}

extension CarePatient: Record {
    package static let collection = Collection<CarePatient>("care.patients", isNumbered: true)

    package var key: Key { Key(id) }
}

extension CareShare: Record {
    package static let collection = Collection<CareShare>(
        "care.shares",
        isNumbered: true,
        unique: [byEmail],
        ordered: [byUser, byPatient, byAddress, byMaker]
    )
    /// The share by patient and address.
    static let byEmail = UniqueIndex<CareShare>("email", steady: \.email) { Key($0.patient, $0.email.lowercased()) }
    /// The shares of a user, in the order of the patients' numbers.
    static let byUser = OrderedIndex<CareShare>("user", isCounted: true) { share in
        share.user.map { Key($0, share.patient) }
    }
    /// The shares of a patient, the earliest first.
    static let byPatient = OrderedIndex<CareShare>("patient") { Key($0.patient, $0.id) }
    /// The shares that wait for an address to be proven, the earliest first.
    static let byAddress = OrderedIndex<CareShare>("address") { share in
        share.user == nil ? Key(share.email.lowercased(), share.id) : nil
    }
    /// The shares that a user has made, the earliest first.
    static let byMaker = OrderedIndex<CareShare>("maker") { share in share.maker.map { Key($0, share.id) } }

    package var key: Key { Key(id) }

    var isOwners: Bool { group == CareGroup.owner.rawValue }

    /// Whether who has it may change the patient.
    var allowsWriting: Bool { access == CareAccess.write.rawValue }

    /// Turns the share into the owner's share.
    mutating func becomeOwners() {
        group = CareGroup.owner.rawValue
        access = CareAccess.write.rawValue
        maker = nil
    }
}

extension CareJob: Record {
    /// The kind of a job.
    enum Kind: String, CaseIterable {
        /// An account is deleted: its patients pass to heirs or are deleted; its shares and mails are deleted.
        case account
        /// A patient is deleted: its shares are deleted.
        case patient
        /// An address was proven by a temporary password: earlier shares of the account's patients, and earlier shares
        /// that the account made, are deleted.
        case takeover
        /// An address was proven: the shares that wait for it are opened.
        case opening
    }

    package static let collection = Collection<CareJob>(
        "care.jobs",
        counters: [
            // A mark is the next number of the counter when the job was written.
            RecordCounter(Counter(OutboxMail.collection.name)) { $0.kind == Kind.account.rawValue ? $0.mark : 0 },
            RecordCounter(Counter(CareShare.collection.name)) { $0.kind == Kind.takeover.rawValue ? $0.mark : 0 },
        ],
        canBeSubstitute: true
    )

    package var key: Key { Key(kind, subject) }

    init(_ kind: Kind, _ subject: Int, address: String? = nil) {
        self.init(kind: kind.rawValue, subject: subject, mark: 0, next: 0, share: 0, address: address)
    }
}
