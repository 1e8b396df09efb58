import Store

/// The patient in a request.
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
    /// The share that gives the user access to the patient.
    package let share: CareShare
    /// The email of the owner.
    package let creator: String

    /// Whether the patient is the user who sees it.
    package var isMe: Bool { patient.me != nil && patient.me == share.user }
}

/// Patients: creating, listing, changing, deleting.
extension Care {
    /// Adds a patient, owned by the user.
    package func createPatient(_ token: Given<BearerToken>, _ given: PatientFields) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.write { tx in
            let user = try authenticated(token, at: now, in: tx)
            var patient = CarePatient(
                id: 0,
                created: now,
                owner: user.id,
                me: nil,
                firstName: "",
                lastName: "",
                birthdate: nil,
                sex: nil,
                phone: ""
            )
            try edit(&patient, given, isNew: true, at: now)
            // Not before: a refused request takes no number.
            patient.id = try tx.nextNumber(of: CarePatient.self)
            let share = try add(patient, of: user, in: tx)
            try record(.created, of: patient, by: user.id, at: now, in: tx)
            return SeenPatient(patient: patient, share: share, creator: user.email)
        }
    }

    /// A page of the patients that a user can see, and the number of all of them. Shares that a job will delete are
    /// neither listed nor counted.
    ///
    /// - Parameter replyBytesMax: the maximum length of the reply.
    /// - Throws: `ReplyTooLong` as soon as the reply is certain to be longer, without reading the other patients.
    package func patients(
        _ token: Given<BearerToken>,
        limit: Given<Int>,
        offset: Given<Int>,
        replyBytesMax: Int = .max
    ) throws -> (page: [SeenPatient], count: Int) {
        let now = environment.time.now
        return try environment.store.read { tx in
            let user = try authenticated(token, at: now, in: tx)
            let limit = try CareRules.count(limit, standard: Limits.patientsPerPage, ErrorCode.Care.invalidLimit)
            let offset = try CareRules.count(offset, standard: 0, ErrorCode.Care.invalidOffset)
            let pageMax = limit == 0 ? Int.max : limit
            // Read one share more than fits in a reply, so that a longer page is detected.
            let sharesMax = min(pageMax, replyBytesMax / Limits.patientReplyBytesMin + 1)
            let toDelete = try sharesToDelete(of: user.id, in: tx)
            let shares =
                try toDelete.isEmpty
                ? tx.scan(CareShare.byUser, prefix: Key(user.id), offset: offset, limit: sharesMax)
                : page(of: user.id, without: toDelete, offset: offset, limit: sharesMax, in: tx)
            let count = try tx.count(CareShare.byUser, prefix: Key(user.id)) - toDelete.count
            return (try seen(shares, within: ReplyBound(bytesMax: replyBytesMax), in: tx), count)
        }
    }

    /// A page of the shares of a user, without those in `excluded`.
    func page(
        of user: Int,
        without excluded: Set<Int>,
        offset: Int,
        limit: Int,
        in tx: Transaction
    ) throws -> [CareShare] {
        var page: [CareShare] = []
        var (passedOver, next) = (0, 0)
        while true {
            let shares = try tx.scan(CareShare.byUser, prefix: Key(user), from: Key(user, next), limit: 100)
            for share in shares where !excluded.contains(share.id) {
                guard passedOver == offset else {
                    passedOver += 1
                    continue
                }
                guard page.count < limit else { return page }
                page.append(share)
            }
            guard shares.count == 100, let last = shares.last?.patient, last < Key.numbers.upperBound else {
                return page
            }
            next = last + 1
        }
    }

    /// One patient that the user has access to; `invalid_patient_id` for any other.
    package func patient(_ token: Given<BearerToken>, _ id: Given<Int>) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.read { tx in
            let user = try authenticated(token, at: now, in: tx)
            return try seen(try share(of: user, in: id, pendingJobs(in: tx), in: tx), in: tx)
        }
    }

    /// Changes the given properties of a patient. A blank value clears a property, except the first name.
    package func updatePatient(_ token: Given<BearerToken>, _ id: Given<Int>, _ given: PatientFields) throws
        -> SeenPatient
    {
        let now = environment.time.now
        return try environment.store.write { tx in
            let share = try writableShare(token, id, at: now, in: tx)
            let before = try seen(share, in: tx)
            var patient = before.patient
            try edit(&patient, given, isNew: false, at: now)
            guard patient != before.patient else { return before }
            try tx.update(patient)
            try record(.updated, of: patient, by: share.user, at: now, in: tx)
            return try seen(share, in: tx)
        }
    }

    /// Deletes a patient with all its shares. Only the user who is the patient may delete a patient who is a user.
    package func deletePatient(_ token: Given<BearerToken>, _ id: Given<Int>) throws -> SeenPatient {
        let now = environment.time.now
        return try environment.store.write { tx in
            let patient = try seen(try writableShare(token, id, at: now, in: tx), in: tx)
            if let me = patient.patient.me, me != patient.share.user { throw AccountError(ErrorCode.Care.unauthorized) }
            try tx.delete(CarePatient.self, patient.patient.key)
            try begin(CareJob(.patient, patient.patient.id), in: tx)
            try record(.deleted, of: patient.patient, by: patient.share.user, at: now, in: tx)
            return patient
        }
    }

    /// Records a change of a patient by a user.
    func record(
        _ change: EventChange,
        of patient: CarePatient,
        by user: Int?,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let detail = EventDetail(patient: patient.id, change: change)
        try audit.record(.patientChanged, of: user, by: .account, detail: detail, at: now, in: tx)
    }

    /// Adds a patient with its owner's share.
    func add(_ patient: CarePatient, of user: CareUser, in tx: Transaction) throws -> CareShare {
        let share = CareShare(
            id: try tx.nextNumber(of: CareShare.self),
            patient: patient.id,
            email: user.email,
            user: user.id,
            access: CareAccess.write.rawValue,
            group: CareGroup.owner.rawValue,
            maker: nil
        )
        try tx.insert(patient)
        try tx.insert(share)
        return share
    }

    /// The share that gives a user access to a patient. A patient without access is answered like one that does not
    /// exist.
    func share(
        of user: CareUser,
        in id: Given<Int>,
        _ pending: PendingJobs,
        in tx: Transaction
    ) throws -> CareShare {
        guard let id = id.value, Key.numbers.contains(id), let share = try share(of: user.id, in: id, in: tx),
            try isLive(share, pending, in: tx)
        else { throw id.error(ErrorCode.Care.invalidPatientID) }
        return share
    }

    /// The share of a user in a patient, even if a job will delete it.
    func share(of user: Int, in patient: Int, in tx: Transaction) throws -> CareShare? {
        guard let share = try tx.scan(CareShare.byUser, from: Key(user, patient), limit: 1).first,
            share.user == user, share.patient == patient
        else { return nil }
        return share
    }

    func writableShare(_ token: Given<BearerToken>, _ id: Given<Int>, at now: Timestamp, in tx: Transaction) throws
        -> CareShare
    {
        let share = try settledShare(of: try authenticated(token, at: now, in: tx), in: id, in: tx)
        guard share.allowsWriting else { throw AccountError(ErrorCode.Care.unauthorized) }
        return share
    }

    /// The share that gives a user access to a patient, for requests that change the patient or its shares.
    func settledShare(of user: CareUser, in id: Given<Int>, in tx: Transaction) throws -> CareShare {
        let pending = try pendingJobs(in: tx)
        let share = try share(of: user, in: id, pending, in: tx)
        if pending.isEmpty { return share }
        try settle(share.patient, in: tx)
        return try self.share(of: user, in: id, pendingJobs(in: tx), in: tx)
    }

    /// A patient as one user sees it. If the owner's account is deleted and the patient has not passed to its heir yet,
    /// the result is as if it had.
    func seen(_ share: CareShare, in tx: Transaction) throws -> SeenPatient {
        let missing = StoreError.missing(key: "care.patients/\(share.patient)")
        guard var patient = try tx.get(CarePatient.self, Key(share.patient)) else { throw missing }
        if let owner = try tx.get(CareUser.self, Key(patient.owner)) {
            return SeenPatient(patient: patient, share: share, creator: owner.email)
        }
        guard let heir = try heir(of: patient, pendingJobs(in: tx), in: tx), let user = heir.user,
            let owner = try tx.get(CareUser.self, Key(user))
        else { throw missing }
        patient.owner = user
        patient.me = nil
        var share = share
        if share.id == heir.id { share.becomeOwners() }
        return SeenPatient(patient: patient, share: share, creator: owner.email)
    }

    /// The patients of a page as one user sees them.
    private func seen(
        _ shares: [CareShare],
        within bound: consuming ReplyBound,
        in tx: Transaction
    ) throws -> [SeenPatient] {
        var page: [SeenPatient] = []
        page.reserveCapacity(shares.count)
        for (place, share) in shares.enumerated() {
            if place % Limits.patientsPerFetch == 0 {
                tx.prefetch { announced in
                    for share in shares[place...].prefix(Limits.patientsPerFetch) {
                        announced.get(CarePatient.self, Key(share.patient))
                    }
                }
            }
            let patient = try seen(share, in: tx)
            page.append(patient)
            // A short page is not measured.
            if shares.count > Limits.replyItemsUnmeasured { try bound.add(patient) }
        }
        return page
    }

    private func edit(_ patient: inout CarePatient, _ given: PatientFields, isNew: Bool, at now: Timestamp) throws {
        if isNew || !given.firstName.isAbsent {
            patient.firstName = try CareRules.requiredFirstName(given.firstName)
        }
        if !given.lastName.isAbsent { patient.lastName = try CareRules.lastName(given.lastName) }
        if !given.birthdate.isAbsent { patient.birthdate = try CareRules.birthdate(given.birthdate, at: now) }
        if !given.sex.isAbsent { patient.sex = try CareRules.sex(given.sex) }
        if !given.phone.isAbsent { patient.phone = try CareRules.phone(given.phone) }
    }
}
