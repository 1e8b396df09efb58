package import Store

/// Jobs: changes that affect too many records for one transaction. A user may have a quarter of a million patients.
///
/// The first transaction makes the changes that must be visible at once, and as many of the others as
/// `Limits.jobRecordsMax` allows. If some remain, it writes a `CareJob`. Any process on the store continues the job
/// between requests, one transaction at a time, also after a crash. Until then, reads treat what the job will delete as
/// deleted: see `PendingJobs`.
extension Care {
    /// Does as much of a job as fits into the transaction, and writes a job record for the rest.
    func begin(_ job: CareJob, in tx: Transaction) throws {
        var job = job
        // The job covers all existing records, and none that a later transaction adds.
        job.mark = .max
        // A pending takeover by the same account must run first, because it decides which shares are deleted and which
        // pass on.
        let waits = try job.kind == CareJob.Kind.account.rawValue && pendingJobs(in: tx).takeovers[job.subject] != nil
        if try !waits && advance(&job, in: tx) { return }
        job.mark =
            switch CareJob.Kind(rawValue: job.kind) {
            case .takeover: try tx.nextNumber(of: CareShare.self)
            default: 0
            }
        try tx.save(job)
        tx.afterwards(.jobs)
    }

    package func runJob() throws -> Bool {
        let hasMoreJobs = try continueJob()
        return try continueDeletion() || hasMoreJobs
    }

    private func continueJob() throws -> Bool {
        try environment.store.write { tx in
            let jobs = try tx.all(CareJob.self)
            guard var job = jobs.first(where: { $0.kind == CareJob.Kind.takeover.rawValue }) ?? jobs.first else {
                return false
            }
            if try advance(&job, in: tx) {
                try tx.delete(CareJob.self, job.key)
                return jobs.count > 1
            }
            try tx.update(job)
            return true
        }
    }

    /// Does one transaction's part of a job.
    ///
    /// - Returns: whether the job is finished.
    private func advance(_ job: inout CareJob, in tx: Transaction) throws -> Bool {
        var left = Limits.jobRecordsMax
        switch CareJob.Kind(rawValue: job.kind) {
        case .account: return try deleteAccount(&job, &left, in: tx)
        case .patient:
            return try deleteShares(of: job.subject, from: &job.share, sparingOwners: false, &left, in: tx)
        case .takeover: return try takeOver(&job, &left, in: tx)
        case .opening: return try openShares(for: &job, &left, in: tx)
        case nil: return true
        }
    }

    // Each part starts where the previous one ended: until the next compaction, deleted records leave tombstones, and a
    // scan from the first share would pass all of them each time. The heir of a patient is searched only once: while
    // the deletion is pending, no invitation to a patient without an heir can be accepted.

    private func deleteAccount(_ job: inout CareJob, _ left: inout Int, in tx: Transaction) throws -> Bool {
        left -= try EarlierForms.deleteMails(of: job, environment.outbox, limit: left, in: tx)
        let pending = try pendingJobs(in: tx)
        while left > 0 {
            let (prefix, from) = (Key(job.subject), Key(job.subject, job.next))
            let shares = try tx.scan(CareShare.byUser, prefix: prefix, from: from, limit: min(left, 100))
            if shares.isEmpty { return true }
            for share in shares {
                guard left > 0, try delete(share, for: &job, pending, &left, in: tx) else { return false }
                (job.next, job.share) = (Self.next(after: share.patient), 0)
            }
        }
        return false
    }

    /// The number after `number`, where a job continues; the last possible number stays.
    private static func next(after number: Int) -> Int { min(number + 1, Key.numbers.upperBound) }

    /// Deletes a share of a deleted user. If the user owns the patient, the patient passes to its heir, or is deleted
    /// if it has none.
    ///
    /// - Returns: whether this is finished.
    private func delete(
        _ share: CareShare,
        for job: inout CareJob,
        _ pending: PendingJobs,
        _ left: inout Int,
        in tx: Transaction
    ) throws -> Bool {
        guard share.isOwners, let patient = try tx.get(CarePatient.self, Key(share.patient)) else {
            left -= 1
            try delete(share, in: tx)
            return true
        }
        if job.share == 0, let heir = try heir(of: patient, pending, in: tx) {
            left -= 3
            try pass(patient, from: share, to: heir, in: tx)
            return true
        }
        guard try deleteShares(of: patient.id, from: &job.share, sparingOwners: true, &left, in: tx) else {
            return false
        }
        left -= 2
        try delete(share, in: tx)
        try tx.delete(CarePatient.self, patient.key)
        return true
    }

    /// Deletes the shares of a patient.
    ///
    /// - Parameters:
    ///   - next: the number of the first share to process. On return, the number to continue with.
    ///   - sparesOwners: whether the owner's share stays. A job needs it to find the patient again.
    /// - Returns: whether no share remains.
    private func deleteShares(
        of patient: Int,
        from next: inout Int,
        sparingOwners sparesOwners: Bool,
        _ left: inout Int,
        in tx: Transaction
    ) throws -> Bool {
        guard left > 0 else { return false }
        let limit = left
        let shares = try tx.scan(CareShare.byPatient, prefix: Key(patient), from: Key(patient, next), limit: limit)
        for share in shares {
            next = Self.next(after: share.id)
            if sparesOwners && share.isOwners { continue }
            left -= 1
            try delete(share, in: tx)
        }
        return shares.count < limit
    }

    private func takeOver(_ job: inout CareJob, _ left: inout Int, in tx: Transaction) throws -> Bool {
        let madeFrom = Key(job.subject, job.share)
        let made = try tx.scan(CareShare.byMaker, prefix: Key(job.subject), from: madeFrom, limit: left)
        for share in made.prefix(while: { $0.id < job.mark }) {
            job.share = Self.next(after: share.id)
            left -= 1
            try delete(share, in: tx)
        }
        while left > 0 {
            let prefix = Key(job.subject)
            let from = Key(job.subject, job.next)
            guard let own = try tx.scan(CareShare.byUser, prefix: prefix, from: from, limit: 1).first else {
                return true
            }
            left -= 1
            if own.isOwners, try !deleteShares(of: own.patient, below: job.mark, &left, in: tx) { return false }
            guard own.patient < Key.numbers.upperBound else { return true }
            job.next = own.patient + 1
        }
        return false
    }

    /// Deletes the shares of a patient whose numbers are below `mark`, except the owner's.
    ///
    /// - Returns: whether no such share remains.
    private func deleteShares(of patient: Int, below mark: Int, _ left: inout Int, in tx: Transaction) throws -> Bool {
        guard left > 0 else { return false }
        // One of them may be the owner's share, which stays.
        let limit = left + 1
        let shares = try tx.scan(CareShare.byPatient, prefix: Key(patient), limit: limit)
        for share in shares where !share.isOwners && share.id < mark {
            left -= 1
            try delete(share, in: tx)
        }
        return shares.count < limit || shares.last.map { $0.id >= mark } ?? true
    }

    private func openShares(for job: inout CareJob, _ left: inout Int, in tx: Transaction) throws -> Bool {
        guard var user = try tx.get(CareUser.self, Key(job.subject)) else { return true }
        let pending = try pendingJobs(in: tx)
        let address = job.address ?? user.email.lowercased()
        // If the user has another address by now, a share with that one may wait too.
        if user.email.lowercased() != address { user.email = address }
        while left > 0 {
            let from = Key(address, job.share)
            let waiting = try tx.scan(CareShare.byAddress, prefix: Key(address), from: from, limit: min(left, 100))
            if waiting.isEmpty { return true }
            for share in waiting {
                job.share = Self.next(after: share.id)
                left -= 2
                if try isLive(share, pending, in: tx) {
                    try open(share, for: user, in: tx)
                } else {
                    try delete(share, in: tx)
                }
            }
        }
        return false
    }

    /// Opens the shares that wait for a user's new address, which the user has proven.
    package func emailChanged(of user: CareUser, in tx: Transaction) throws {
        // The user had proven the previous address too, so what still waits for it is opened first.
        if var job = try tx.get(CareJob.self, CareJob(.opening, user.id).key) {
            while try !advance(&job, in: tx) {}
            try tx.delete(CareJob.self, job.key)
        }
        try begin(CareJob(.opening, user.id, address: user.email.lowercased()), in: tx)
    }

    /// The jobs that are not finished.
    func pendingJobs(in tx: Transaction) throws -> PendingJobs {
        let pending = PendingJobs(try tx.all(CareJob.self))
        if !pending.isEmpty { tx.afterwards(.jobs) }
        return pending
    }
}
