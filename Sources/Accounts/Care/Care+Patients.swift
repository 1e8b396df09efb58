import Store

/// What a request gives of a patient.
package struct PatientFields {
    let firstName, lastName, birthdate, sex, phone: Given<String>

    package init(
        firstName: Given<String>,
        lastName: Given<String>,
        birthdate: Given<String>,
        sex: Given<String>,
        phone: Given<String>
    ) {
        self.firstName = firstName
        self.lastName = lastName
        self.birthdate = birthdate
        self.sex = sex
        self.phone = phone
    }
}

/// A patient as one user sees it.
package struct SeenPatient {
    /// The patient.
    package let patient: CarePatient
    /// The share by which the user reaches the patient.
    package let share: CareShare
    /// The email of the owner.
    package let creator: String

    /// Whether the patient is the one who looks.
    package var isMe: Bool { patient.me != nil && patient.me == share.user }
}

/// Patients: creating, listing, changing, deleting.
extension Care {
    /// Adds a patient, owned by the user.
    package func createPatient(_ token: Given<String>, _ given: PatientFields) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.transact { tx in
            let user = try authenticated(token, at: now, in: tx)
            var patient = CarePatient(
                id: try tx.nextNumber(of: CarePatient.self),
                created: now,
                owner: user.id,
                me: nil,
                firstName: "",
                lastName: "",
                birthdate: nil,
                sex: nil,
                phone: ""
            )
            try edit(&patient, given, isNew: true)
            return SeenPatient(patient: patient, share: try add(patient, of: user, in: tx), creator: user.email)
        }
    }

    /// The patients that a user can see, a page of them, and how many there are in all.
    package func patients(
        _ token: Given<String>,
        limit: Given<Int>,
        offset: Given<Int>
    ) throws -> (page: [SeenPatient], count: Int) {
        let now = environment.time.now
        return try environment.store.transact { tx in
            let user = try authenticated(token, at: now, in: tx)
            let limit = try CareRules.count(limit, standard: 25, ErrorCode.Care.invalidLimit)
            let offset = try CareRules.count(offset, standard: 0, ErrorCode.Care.invalidOffset)
            let shares = try tx.scan(CareShare.byUser, prefix: Key(user.id))
            let page = shares.dropFirst(offset).prefix(limit == 0 ? .max : limit)
            return (try page.map { try seen($0, in: tx) }, shares.count)
        }
    }

    /// One patient that the user can reach; `invalid_patient_id` for any other.
    package func patient(_ token: Given<String>, _ id: Given<Int>) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.transact { tx in
            try seen(try share(of: try authenticated(token, at: now, in: tx), in: id, in: tx), in: tx)
        }
    }

    /// Changes what is given of a patient; blanks clear, but for the first name.
    package func updatePatient(_ token: Given<String>, _ id: Given<Int>, _ given: PatientFields) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.transact { tx in
            let share = try writableShare(token, id, at: now, in: tx)
            var patient = try seen(share, in: tx).patient
            try edit(&patient, given, isNew: false)
            try tx.update(patient)
            return try seen(share, in: tx)
        }
    }

    /// Removes a patient, with all its shares.
    package func deletePatient(_ token: Given<String>, _ id: Given<Int>) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.transact { tx in
            let patient = try seen(try writableShare(token, id, at: now, in: tx), in: tx)
            try remove(patient.patient, in: tx)
            return patient
        }
    }

    /// Adds a patient with its owner's share.
    func add(_ patient: CarePatient, of user: CareUser, in tx: Transaction) throws -> CareShare {
        let share = CareShare(
            id: try tx.nextNumber(of: CareShare.self),
            patient: patient.id,
            email: user.email,
            user: user.id,
            access: "write",
            group: "owner"
        )
        try tx.insert(patient)
        try tx.insert(share)
        return share
    }

    /// Removes a patient with all its shares and the invitations to it.
    func remove(_ patient: CarePatient, in tx: Transaction) throws {
        for share in try tx.scan(CareShare.byPatient, prefix: Key(patient.id)) { try end(share, in: tx) }
        try tx.delete(CarePatient.self, patient.key)
    }

    /// The share by which a user reaches a patient; a patient out of reach is the same as none.
    func share(of user: CareUser, in id: Given<Int>, in tx: Transaction) throws -> CareShare {
        guard let id = id.value, Key.numbers.contains(id),
            let share = try tx.scan(CareShare.byUser, from: Key(user.id, id), limit: 1).first,
            share.user == user.id, share.patient == id
        else { throw AccountError(ErrorCode.Care.invalidPatientID) }
        return share
    }

    func writableShare(_ token: Given<String>, _ id: Given<Int>, at now: Timestamp, in tx: Transaction) throws
        -> CareShare
    {
        let share = try share(of: try authenticated(token, at: now, in: tx), in: id, in: tx)
        guard share.access == "write" else { throw AccountError(ErrorCode.Care.unauthorized) }
        return share
    }

    func seen(_ share: CareShare, in tx: Transaction) throws -> SeenPatient {
        guard let patient = try tx.get(CarePatient.self, Key(share.patient)),
            let owner = try tx.get(CareUser.self, Key(patient.owner))
        else { throw StoreError.missing(key: "care.patients/\(share.patient)") }
        return SeenPatient(patient: patient, share: share, creator: owner.email)
    }

    private func edit(_ patient: inout CarePatient, _ given: PatientFields, isNew: Bool) throws {
        if isNew || !given.firstName.isAbsent {
            patient.firstName = try CareRules.requiredFirstName(given.firstName)
        }
        if !given.lastName.isAbsent { patient.lastName = try CareRules.lastName(given.lastName) }
        if !given.birthdate.isAbsent { patient.birthdate = try CareRules.birthdate(given.birthdate) }
        if !given.sex.isAbsent { patient.sex = try CareRules.sex(given.sex) }
        if !given.phone.isAbsent { patient.phone = try CareRules.phone(given.phone) }
    }
}
