import Store

/// The audit trail.
extension Administration {
    /// A page of the audit trail, the earliest event first.
    ///
    /// - Throws: `events_gone`; `events_ahead`; `account_not_found` for an email without an account.
    package func events(after: Given<Int>, limit: Given<Int>, account: Given<String>) throws -> EventPage {
        let limit = try AdminRules.limit(limit)
        let last = after.isMissing ? nil : try AdminRules.number(after, "after", in: 0...Key.numbers.upperBound)
        let reference = account.isMissing ? nil : try AdminRules.account(account)
        try AuditTrail.numberEvents(in: environment.store, apis.sales.settings.auditBounds)
        return try environment.store.read { tx in
            do {
                guard let reference else { return try AuditTrail.page(after: last, limit: limit, in: tx) }
                guard let number = try reference.number(in: tx) else {
                    throw AccountError(ErrorCode.Admin.accountNotFound)
                }
                return try AuditTrail.page(of: (reference.realm, number), after: last, limit: limit, in: tx)
            } catch is EventsGone {
                throw AccountError(ErrorCode.Admin.eventsGone)
            } catch is EventsAhead {
                throw AccountError(ErrorCode.Admin.eventsAhead)
            }
        }
    }
}
