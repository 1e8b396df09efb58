package import Store

/// Deletes expired counts, quotas, codes and invitations, and corrects those whose times were set while the clock was
/// ahead.
///
/// Mails have other due times; `Outbox.sweep` sweeps them.
package enum Sweep {
    /// Sweeps a limited number of rows of each kind.
    ///
    /// - Parameter audit: how long the audit trail is.
    /// - Returns: whether more rows may remain.
    package static func run(at now: Timestamp, audit: AuditBounds = AuditBounds(), in tx: Transaction) throws -> Bool {
        var hasMore = try sweepQuotas(at: now, in: tx)
        hasMore = try AuditTrail.sweep(audit, at: now, in: tx) || hasMore
        hasMore = try sweepFailures(at: now, in: tx) || hasMore
        hasMore = try sweepUnknownFailures(at: now, in: tx) || hasMore
        hasMore = try sweepAddresses(at: now, in: tx) || hasMore
        for realm in Realm.allCases {
            for purpose in MailedCodes.Purpose.allCases {
                hasMore = try sweepCodes(realm, purpose, at: now, in: tx) || hasMore
            }
        }
        hasMore = try sweepEmailChanges(at: now, in: tx) || hasMore
        hasMore = try sweepEmailReversals(at: now, in: tx) || hasMore
        return try sweepInvitations(at: now, in: tx) || hasMore
    }

    private static let rowsMax = Limits.sweptRowsMax

    private static func sweepQuotas(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let over = try tx.scan(MailQuota.byEnd, limit: rowsMax).prefix { $0.ends <= now }
        // `MailQuotas` treats quotas that end later as expired, because no time span is that long.
        let latest = now.adding(seconds: max(Limits.mailQuotaSeconds, Limits.mailsToOthersSeconds))
        let ahead = try tx.scan(MailQuota.byEnd, descending: true, limit: rowsMax).prefix { $0.ends > latest }
        for quota in over + ahead { try tx.delete(MailQuota.self, quota.key) }
        return over.count == rowsMax || ahead.count == rowsMax
    }

    private static func sweepFailures(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let over = try tx.scan(PasswordFailures.byLast, limit: rowsMax).prefix { $0.failures.isLapsed(at: now) }
        for record in over { try tx.delete(PasswordFailures.self, record.key) }
        let ahead = try tx.scan(PasswordFailures.byLast, descending: true, limit: rowsMax).prefix { $0.last > now }
        for var record in ahead {
            record.failures.clamp(to: now)
            try tx.update(record)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }

    private static func sweepUnknownFailures(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let over = try tx.scan(UnknownFailures.byLast, limit: rowsMax).prefix { $0.failures.isLapsed(at: now) }
        let ahead = try tx.scan(UnknownFailures.byLast, descending: true, limit: rowsMax).prefix { $0.last > now }
        for record in over { try tx.delete(UnknownFailures.self, record.key) }
        for var record in ahead {
            record.failures.clamp(to: now)
            try tx.update(record)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }

    private static func sweepAddresses(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let over = try tx.scan(AddressSignIns.byEnd, limit: rowsMax).prefix { $0.end <= now }
        for record in over { try tx.delete(AddressSignIns.self, record.key) }
        let latest = now.adding(seconds: Limits.knownAddressSeconds)
        let ahead = try tx.scan(AddressSignIns.byEnd, descending: true, limit: rowsMax).prefix { $0.end > latest }
        for var record in ahead {
            record.failures.clamp(to: now)
            record.signedIn = record.signedIn.map { min($0, now) }
            try tx.update(record)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }

    /// Sweeps all invitations. They are few, because only the command line creates them.
    private static func sweepInvitations(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let invitations = try tx.all(Invitation.self)
        for var invitation in invitations {
            if invitation.expires <= now {
                try tx.delete(Invitation.self, invitation.key)
            } else if invitation.created > now {
                // Its lifetime stays the same.
                let seconds = invitation.created.seconds(until: invitation.expires)
                (invitation.created, invitation.expires) = (now, now.adding(seconds: seconds))
                try tx.update(invitation)
            }
        }
        return false
    }

    private static func sweepEmailChanges(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let over = try tx.scan(EmailChange.byExpiry, limit: rowsMax).prefix { $0.expires <= now }
        for change in over { try tx.delete(EmailChange.self, change.key) }
        let latest = now.adding(seconds: MailedCodes.Purpose.changeEmail.seconds)
        let ahead = try tx.scan(EmailChange.byExpiry, descending: true, limit: rowsMax).prefix { $0.expires > latest }
        for var change in ahead {
            change.expires = latest
            try tx.update(change)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }

    private static func sweepEmailReversals(at now: Timestamp, in tx: Transaction) throws -> Bool {
        let over = try tx.scan(EmailReversal.byExpiry, limit: rowsMax).prefix { $0.expires <= now }
        for reversal in over { try tx.delete(EmailReversal.self, reversal.key) }
        let latest = now.adding(seconds: Limits.emailReversalSeconds)
        let ahead = try tx.scan(EmailReversal.byExpiry, descending: true, limit: rowsMax).prefix {
            $0.expires > latest
        }
        for var reversal in ahead {
            reversal.expires = latest
            try tx.update(reversal)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }

    private static func sweepCodes(
        _ realm: Realm,
        _ purpose: MailedCodes.Purpose,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Bool {
        let prefix = Key("\(realm.rawValue) \(purpose.rawValue)")
        let over = try tx.scan(MailedCode.byExpiry, prefix: prefix, limit: rowsMax).prefix { $0.expires <= now }
        for code in over { try tx.delete(MailedCode.self, code.key) }
        let latest = now.adding(
            seconds: purpose.isRepeatable ? max(purpose.seconds, Limits.usedCodeSeconds) : purpose.seconds
        )
        let ahead = try tx.scan(MailedCode.byExpiry, prefix: prefix, descending: true, limit: rowsMax).prefix {
            $0.expires > latest
        }
        for var code in ahead {
            code.expires = now.adding(seconds: purpose.seconds)
            try tx.update(code)
        }
        return over.count == rowsMax || ahead.count == rowsMax
    }
}
