package import Store

/// Deletes expired counts, quotas, codes and invitations, and corrects those whose times were set while the clock was
/// ahead.
///
/// Mails have other due times; `Outbox.sweep` sweeps them.
package enum Sweep {
    /// Sweeps a limited number of rows of each kind.
    ///
    /// - Parameter audit: how long the audit trail is; nil leaves it as it is.
    /// - Returns: whether more rows may remain.
    package static func run(at now: Timestamp, audit: AuditBounds?, in tx: Transaction) throws -> Bool {
        var hasMore = try sweepQuotas(at: now, in: tx)
        if let audit, tx.ordersNumbers {
            // An export of another engine may have events without numbers, which nothing else would show or delete.
            hasMore = try AuditTrail.number(audit, in: tx) == Limits.numberedEventsMax || hasMore
        }
        if let audit { hasMore = try AuditTrail.sweep(audit, at: now, in: tx) || hasMore }
        hasMore = try sweepFailures(at: now, in: tx) || hasMore
        hasMore = try sweepUnknownFailures(at: now, in: tx) || hasMore
        hasMore = try sweepNetworks(at: now, in: tx) || hasMore
        for realm in Realm.allCases {
            for purpose in MailedCodes.Purpose.allCases {
                hasMore = try sweepCodes(realm, purpose, at: now, in: tx) || hasMore
            }
        }
        hasMore = try sweepEmailChanges(at: now, in: tx) || hasMore
        hasMore = try sweepEmailReversals(at: now, in: tx) || hasMore
        return try sweepInvitations(at: now, in: tx) || hasMore
    }

    private static func sweepQuotas(at now: Timestamp, in tx: Transaction) throws -> Bool {
        // `MailQuotas` treats quotas that end later as expired, because no time span is that long.
        let latest = now.adding(seconds: max(Limits.mailQuotaSeconds, Limits.mailsToOthersSeconds))
        return try sweep(MailQuota.byEnd, isOver: { $0.ends <= now }, isAhead: { $0.ends > latest }, in: tx)
    }

    private static func sweepFailures(at now: Timestamp, in tx: Transaction) throws -> Bool {
        try sweep(
            PasswordFailures.byLast,
            isOver: { $0.failures.isLapsed(at: now) },
            isAhead: { $0.last > now },
            correct: { $0.failures.clamp(to: now) },
            in: tx
        )
    }

    private static func sweepUnknownFailures(at now: Timestamp, in tx: Transaction) throws -> Bool {
        try sweep(
            UnknownFailures.byLast,
            isOver: { $0.failures.isLapsed(at: now) },
            isAhead: { $0.last > now },
            correct: { $0.failures.clamp(to: now) },
            in: tx
        )
    }

    private static func sweepNetworks(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let latest = now.adding(seconds: Limits.knownAddressSeconds)
        return try sweep(
            NetworkSignIns.byEnd,
            isOver: { $0.end <= now },
            isAhead: { $0.end > latest },
            correct: { signIns in
                signIns.failures.clamp(to: now)
                signIns.signedIn = signIns.signedIn.map { min($0, now) }
            },
            in: tx
        )
    }

    private static func sweepInvitations(at now: Timestamp, in tx: Transaction) throws -> Bool {
        try sweep(
            Invitation.byExpiry,
            isOver: { $0.expires <= now },
            aheadLastIn: Invitation.byCreation,
            isAhead: { $0.created > now },
            correct: { invitation in
                // Its lifetime stays the same.
                let seconds = invitation.created.seconds(until: invitation.expires)
                (invitation.created, invitation.expires) = (now, now.adding(seconds: seconds))
            },
            in: tx
        )
    }

    private static func sweepEmailChanges(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let latest = now.adding(seconds: MailedCodes.Purpose.changeEmail.seconds)
        return try sweep(
            EmailChange.byExpiry,
            isOver: { $0.expires <= now },
            isAhead: { $0.expires > latest },
            correct: { $0.expires = latest },
            in: tx
        )
    }

    private static func sweepEmailReversals(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let latest = now.adding(seconds: Limits.emailReversalSeconds)
        return try sweep(
            EmailReversal.byExpiry,
            isOver: { $0.expires <= now },
            isAhead: { $0.expires > latest },
            correct: { $0.expires = latest },
            in: tx
        )
    }

    private static func sweepCodes(
        _ realm: Realm,
        _ purpose: MailedCodes.Purpose,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Bool {
        let latest = now.adding(
            seconds: purpose.isRepeatable ? max(purpose.seconds, Limits.usedCodeSeconds) : purpose.seconds
        )
        return try sweep(
            MailedCode.byExpiry,
            prefix: Key("\(realm.rawValue) \(purpose.rawValue)"),
            isOver: { $0.expires <= now },
            isAhead: { $0.expires > latest },
            correct: { $0.expires = now.adding(seconds: purpose.seconds) },
            in: tx
        )
    }

    /// Sweeps the records of one kind: at most `Limits.sweptRowsMax` from each end of an index by time.
    ///
    /// - Parameters:
    ///   - index: the index in which records that are over come first.
    ///   - prefix: the first components of the keys of the records.
    ///   - isOver: whether a record is deleted.
    ///   - aheadIndex: the index in which records whose times are ahead come last; nil for the same one.
    ///   - isAhead: whether a record's times were set while the clock was ahead.
    ///   - correct: corrects the times; nil to delete such a record.
    /// - Returns: whether more may remain.
    private static func sweep<R: Record>(
        _ index: OrderedIndex<R>,
        prefix: Key? = nil,
        isOver: (R) -> Bool,
        aheadLastIn aheadIndex: OrderedIndex<R>? = nil,
        isAhead: (R) -> Bool,
        correct: ((inout R) -> Void)? = nil,
        in tx: Transaction
    ) throws -> Bool {
        let rowsMax = Limits.sweptRowsMax
        let over = try tx.scan(index, prefix: prefix, limit: rowsMax).prefix(while: isOver)
        for record in over { try tx.delete(R.self, record.key) }
        let ahead = try tx.scan(aheadIndex ?? index, prefix: prefix, descending: true, limit: rowsMax)
            .prefix(while: isAhead)
        for var record in ahead {
            guard let correct else {
                try tx.delete(R.self, record.key)
                continue
            }
            correct(&record)
            try tx.update(record)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }
}
