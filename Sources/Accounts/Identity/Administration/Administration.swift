import Store

/// The operations of administration that are about no single account: listing accounts, invitations, mails, and the audit
/// trail.
package struct Administration {
    private let apis: AccountAPIs
    private var environment: Environment { apis.environment }

    package init(_ apis: AccountAPIs) {
        self.apis = apis
    }

    /// A page of accounts, API after API, each in the order of their numbers.
    ///
    /// - Parameters:
    ///   - api: the only API whose accounts are listed; absent for all.
    ///   - search: a text that the email or the name of an account must contain.
    ///   - after: the account that the page follows.
    package func accounts(
        api: Given<String>,
        search: Given<String>,
        after: Given<String>,
        limit: Given<Int>
    ) throws -> AccountPage {
        var realms = Realm.allCases[...]
        if !api.isMissing { realms = [try AdminRules.api(api)] }
        let text = try AdminRules.text(search, "search", charactersMax: Limits.emailBytesMax)?.lowercased()
        var start = ListedAccounts(after: 0, room: try AdminRules.limit(limit), reads: Limits.adminSearchMax)
        if !after.isMissing {
            let last = try AdminRules.account(after, "after")
            guard let number = last.number, let place = realms.firstIndex(of: last.realm) else {
                throw AdminRules.invalid(after, "after")
            }
            (realms, start.after) = (realms[place...], number)
        }
        return try environment.store.read { [realms, start] tx in
            var list = start
            for realm in realms {
                if try !apis[realm].list(&list, containing: text, in: tx) {
                    return AccountPage(accounts: list.found, next: "\(realm.rawValue):\(list.after)")
                }
                list.after = 0
            }
            return AccountPage(accounts: list.found, next: nil)
        }
    }

    // MARK: Invitations

    /// Creates an invitation.
    package func invite(
        role: Given<String>,
        uses: Given<Int>,
        seconds: Given<Int>,
        actor: Given<String>
    ) throws -> NewInvitation {
        let lifetimes = Limits.invitationSecondsMin...Limits.invitationSecondsMax
        let inviter = role.isMissing ? .admin : role.value.flatMap { SalesRole(rawValue: $0) }
        guard let inviter else { throw AdminRules.invalid(role, "role") }
        return try apis.sales.invite(
            inviter,
            uses: try AdminRules.number(uses, "uses", in: Limits.invitationUses, standard: 1),
            goodFor: try AdminRules.number(seconds, "seconds", in: lifetimes, standard: Limits.invitationSeconds),
            actor: try AdminRules.actor(actor)
        )
    }

    /// A page of the valid invitations, the oldest first.
    package func invitations(after: Given<Int>, limit: Given<Int>) throws -> InvitationList {
        let limit = try AdminRules.limit(limit)
        return try apis.sales.invitations(after: try AdminRules.cursor(after), limit: limit)
    }

    /// Revokes an invitation.
    ///
    /// - Throws: `invitation_not_found`.
    package func revokeInvitation(_ id: Given<Int>, actor: Given<String>) throws {
        let id = try AdminRules.id(id)
        guard try apis.sales.revokeInvitation(id, actor: try AdminRules.actor(actor)) else {
            throw AccountError(ErrorCode.Admin.invitationNotFound)
        }
    }

    // MARK: Mails

    /// A page of the outbox, the oldest mail first.
    package func mails(after: Given<Int>, limit: Given<Int>) throws -> OutboxPage {
        let limit = try AdminRules.limit(limit)
        let last = try AdminRules.cursor(after)
        let mails = try environment.store.read { try environment.outbox.mails(after: last, limit: limit, in: $0) }
        return OutboxPage(mails: mails.map { OutboxEntry($0) }, next: mails.count == limit ? mails.last?.id : nil)
    }

    /// A mail with its text.
    ///
    /// - Throws: `mail_not_found`.
    package func mail(_ id: Given<Int>) throws -> OutboxMailText {
        let id = try AdminRules.id(id)
        return try environment.store.read { tx in
            let mail = try mail(id, in: tx)
            let content = try environment.outbox.content(of: mail, in: tx)
            return OutboxMailText(mail: OutboxEntry(mail), text: content?.text, html: content?.html)
        }
    }

    /// Makes a waiting mail due now. If a process is delivering it at this moment, it may be delivered twice.
    ///
    /// - Throws: `mail_not_found`; `mail_closed` if the mail was delivered or given up.
    package func retryMail(_ id: Given<Int>, actor: Given<String>) throws -> OutboxEntry {
        let (id, actor) = (try AdminRules.id(id), try AdminRules.actor(actor))
        let now = environment.time.now
        return try environment.store.write { tx in
            let mail = try environment.outbox.retry(mail(id, in: tx), by: actor, at: now, in: tx)
            guard let mail else { throw AccountError(ErrorCode.Admin.mailClosed) }
            return OutboxEntry(mail)
        }
    }

    /// Makes the mails due now that wait because their last attempt failed.
    package func retryMails(actor: Given<String>) throws -> DueMails {
        let actor = try AdminRules.actor(actor)
        let now = environment.time.now
        var place: OutboxMail?
        var count = 0
        repeat {
            (place, count) = try environment.store.write { tx in
                let page = try environment.outbox.later(than: now, after: place, limit: Limits.jobRecordsMax, in: tx)
                let failed = page.filter { $0.lastError != nil }
                for mail in failed { _ = try environment.outbox.retry(mail, by: actor, at: now, in: tx) }
                return (page.count == Limits.jobRecordsMax ? page.last : nil, count + failed.count)
            }
        } while place != nil
        return DueMails(due: count)
    }

    private func mail(_ id: Int, in tx: Transaction) throws -> OutboxMail {
        guard let mail = try environment.outbox.mail(id, in: tx) else {
            throw AccountError(ErrorCode.Admin.mailNotFound)
        }
        return mail
    }

    // MARK: The audit trail

    /// A page of the audit trail, the earliest event first.
    ///
    /// - Throws: `events_gone`; `events_ahead`; `account_not_found` for an email without an account.
    package func events(after: Given<Int>, limit: Given<Int>, account: Given<String>) throws -> EventPage {
        let limit = try AdminRules.limit(limit)
        let last = after.isMissing ? nil : try AdminRules.number(after, "after", in: 0...Key.numbers.upperBound)
        let reference = account.isMissing ? nil : try AdminRules.account(account)
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

extension Given {
    /// Whether the property is absent or null.
    fileprivate var isMissing: Bool {
        switch self {
        case .absent, .null: true
        case .mistyped, .value: false
        }
    }
}
