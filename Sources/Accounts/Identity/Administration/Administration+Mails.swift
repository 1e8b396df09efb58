import Store

/// The mails in the outbox.
extension Administration {
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
}
