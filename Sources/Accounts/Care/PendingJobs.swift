import Store

/// The accounts, patients and shares that pending jobs will delete. Reads treat them as deleted, so that no request
/// sees a half-finished job.
struct PendingJobs {
    /// Deleted accounts: their shares have no effect, and their patients belong to the heirs.
    private(set) var accounts: Set<Int> = []
    /// Deleted patients: their shares have no effect.
    private(set) var patients: Set<Int> = []
    /// Accounts with a takeover, and its mark: shares they made, and shares of their patients, have no effect if their
    /// numbers are below the mark.
    private(set) var takeovers: [Int: Int] = [:]
    /// Whether there are no pending jobs, which is nearly always so.
    let isEmpty: Bool

    init(_ jobs: [CareJob]) {
        isEmpty = jobs.isEmpty
        for job in jobs {
            switch CareJob.Kind(rawValue: job.kind) {
            case .account: accounts.insert(job.subject)
            case .patient: patients.insert(job.subject)
            case .takeover: takeovers[job.subject] = job.mark
            case .opening, nil: break
            }
        }
    }

    /// Whether the jobs delete shares of users whose accounts are not deleted.
    var haveSharesToDelete: Bool { !patients.isEmpty || !takeovers.isEmpty }
}

extension Care {
    /// Whether no pending job will delete a share.
    ///
    /// - Parameter isReached: whether a user whose account is not deleted is known to have access to the patient, so
    ///   that the patient stays.
    func isLive(
        _ share: CareShare,
        _ pending: PendingJobs,
        isReached: Bool = false,
        in tx: Transaction
    ) throws -> Bool {
        if pending.isEmpty { return true }
        if let user = share.user, pending.accounts.contains(user) { return false }
        if pending.patients.contains(share.patient) { return false }
        if share.isOwners { return true }
        if share.user == nil, !isReached, !pending.accounts.isEmpty, try isOfPatientToDelete(share, pending, in: tx) {
            return false
        }
        if pending.takeovers.isEmpty { return true }
        if let maker = share.maker, let mark = pending.takeovers[maker], share.id < mark { return false }
        guard let patient = try tx.get(CarePatient.self, Key(share.patient)) else { return false }
        return pending.takeovers[patient.owner].map { share.id >= $0 } ?? true
    }

    /// Whether an invitation is to a patient that will be deleted with its owner's account, because no other user has
    /// access.
    private func isOfPatientToDelete(_ share: CareShare, _ pending: PendingJobs, in tx: Transaction) throws -> Bool {
        guard let patient = try tx.get(CarePatient.self, Key(share.patient)) else { return true }
        return try pending.accounts.contains(patient.owner) && heir(of: patient, pending, in: tx) == nil
    }

    /// The numbers of a user's shares that pending jobs will delete. The user's account is not deleted.
    ///
    /// For each takeover, the search uses the smaller set: the shares that the takeover's account has and made, or the
    /// user's shares.
    func sharesToDelete(of user: Int, in tx: Transaction) throws -> Set<Int> {
        let pending = try pendingJobs(in: tx)
        guard pending.haveSharesToDelete else { return [] }
        let count = try tx.count(CareShare.byUser, prefix: Key(user))
        var patients = pending.patients
        for account in pending.takeovers.keys {
            let made = try tx.scan(CareShare.byMaker, prefix: Key(account), limit: count)
            let reached = try tx.scan(CareShare.byUser, prefix: Key(account), limit: count)
            guard made.count + reached.count < count else {
                patients.formUnion(try tx.scan(CareShare.byUser, prefix: Key(user)).map(\.patient))
                break
            }
            for share in made where share.user == user { patients.insert(share.patient) }
            for share in reached where share.isOwners { patients.insert(share.patient) }
        }
        var found: Set<Int> = []
        for patient in patients {
            guard let share = try share(of: user, in: patient, in: tx), try !isLive(share, pending, in: tx) else {
                continue
            }
            found.insert(share.id)
        }
        return found
    }

    /// The share of the user to whom a patient passes when its owner's account is deleted: the user who has had access
    /// longest. Nil if no other user has access.
    func heir(of patient: CarePatient, _ pending: PendingJobs, in tx: Transaction) throws -> CareShare? {
        var next = 0
        while true {
            let page = try tx.scan(
                CareShare.byPatient,
                prefix: Key(patient.id),
                from: Key(patient.id, next),
                limit: Limits.sharesPerScanMax
            )
            for share in page {
                guard let user = share.user, user != patient.owner, try isLive(share, pending, in: tx),
                    try tx.get(CareUser.self, Key(user)) != nil
                else { continue }
                return share
            }
            guard page.count == Limits.sharesPerScanMax, let last = page.last, last.id < Key.numbers.upperBound else {
                return nil
            }
            next = last.id + 1
        }
    }

    /// Makes the heir of a patient its owner.
    func pass(_ patient: CarePatient, from owners: CareShare, to heir: CareShare, in tx: Transaction) throws {
        var (patient, heir) = (patient, heir)
        try delete(owners, in: tx)
        heir.becomeOwners()
        try tx.update(heir)
        if let user = heir.user { patient.owner = user }
        patient.me = nil
        try tx.update(patient)
    }

    /// Applies the pending jobs to one patient, before a request changes the patient.
    func settle(_ id: Int, in tx: Transaction) throws {
        let pending = try pendingJobs(in: tx)
        guard !pending.isEmpty, let patient = try tx.get(CarePatient.self, Key(id)) else { return }
        if pending.takeovers[patient.owner] != nil {
            for share in try tx.scan(CareShare.byPatient, prefix: Key(id))
            where try !share.isOwners && !isLive(share, pending, in: tx) {
                try delete(share, in: tx)
            }
        }
        guard pending.accounts.contains(patient.owner), let heir = try heir(of: patient, pending, in: tx),
            let owners = try share(of: patient.owner, in: id, in: tx)
        else { return }
        try pass(patient, from: owners, to: heir, in: tx)
    }
}
