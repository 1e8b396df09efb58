package import Store

/// The records of a user for an export of the account.
extension Care {
    /// Visits the patients that a user has access to, each after the user's share of it, and the shares that the user
    /// has made.
    package func visitRecords(
        of account: Int,
        in tx: Transaction,
        _ visit: (any Record) throws -> Void
    ) throws {
        try visitPatients(of: account, in: tx, visit)
        try visitMadeShares(of: account, in: tx, visit)
    }

    private func visitPatients(
        of account: Int,
        in tx: Transaction,
        _ visit: (any Record) throws -> Void
    ) throws {
        let toDelete = try sharesToDelete(of: account, in: tx)
        var offset = 0
        while true {
            let shares = try page(
                of: account,
                without: toDelete,
                offset: offset,
                limit: Limits.patientsPerFetch,
                in: tx
            )
            for share in shares {
                let seen = try seen(share, in: tx)
                try visit(seen.share)
                try visit(seen.patient)
            }
            guard shares.count == Limits.patientsPerFetch else { return }
            offset += shares.count
        }
    }

    /// Visits the shares that a user has made, the earliest first, except the user's own.
    private func visitMadeShares(
        of account: Int,
        in tx: Transaction,
        _ visit: (any Record) throws -> Void
    ) throws {
        let pending = try pendingJobs(in: tx)
        var next = 0
        while true {
            let (prefix, from) = (Key(account), Key(account, next))
            let page = try tx.scan(CareShare.byMaker, prefix: prefix, from: from, limit: Limits.sharesPerScanMax)
            for share in page where share.user != account {
                if try isLive(share, pending, in: tx) { try visit(share) }
            }
            guard page.count == Limits.sharesPerScanMax, let last = page.last, last.id < Key.numbers.upperBound else {
                return
            }
            next = last.id + 1
        }
    }
}
