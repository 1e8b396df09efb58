package import Accounts
package import Store
internal import Platform

/// Delivers the mails in the outbox, and sweeps expired records.
///
/// Several mails are sent at once, so that neither a reply nor another mail waits for a delivery that hangs. Only the
/// caller's thread uses the store. If several processes use one store, a process claims a mail before it sends it. A
/// mail is marked as delivered only after it was sent. If the program ends in between, the mail is sent again with the
/// same number and Message-ID.
package final class Courier {
    private let store: Store
    private let outbox: Outbox
    private let time: any TimeSource
    private let audit: AuditBounds?
    /// The maximum time between two looks at the outbox, if the mails are delivered.
    private let lookSeconds: Int
    private let deliveries: (any Deliveries)?
    private let log: (String) -> Void

    private var underWay = Set<Int>()
    /// The outcomes that are not in the store yet.
    private var outcomes: [DeliveryOutcome] = []
    private var nextLook: Timestamp?
    /// When expired counts, quotas and codes are next deleted; nil at the start, when a sweep may be overdue.
    private var nextSweep: Timestamp?
    /// Whether the last use of the store failed. The store is then not used until `nextLook`.
    private var isStoreFailing = false
    /// Whether another process held the store's lock at the last look.
    private var isStoreLocked = false
    /// Whether a mail was due at the last look, and the deliveries were not open.
    private var isOpeningAwaited = false
    private var failureCount = 0

    /// - Parameters:
    ///   - deliveries: deliver the mails; nil keeps them in the outbox.
    ///   - audit: how long the audit trail is, which is swept too; nil if the process does not know, and leaves it.
    ///   - lookSeconds: the maximum time between two looks at the outbox, if the mails are delivered.
    ///   - log: takes one line, without secrets, for the server's administrator.
    package init(
        store: Store,
        outbox: Outbox,
        time: any TimeSource,
        deliveries: (any Deliveries)?,
        audit: AuditBounds? = AuditBounds(),
        lookSeconds: Int = Limits.lookSeconds,
        log: @escaping (String) -> Void
    ) {
        self.store = store
        self.outbox = outbox
        self.time = time
        self.audit = audit
        self.deliveries = deliveries
        self.lookSeconds = deliveries == nil ? Limits.lookSeconds : lookSeconds
        self.log = log
    }

    /// Sends the mails that are due, and records the outcomes of earlier deliveries. No writes may be staged in the
    /// store.
    ///
    /// - Returns: the milliseconds until it must be called again.
    package func sendDue() -> Int {
        let latest = deliveries?.takeOutcomes() ?? []
        outcomes += latest
        let now = time.now
        let hasOpened = isOpeningAwaited && deliveries?.isOpen ?? false
        let hasNewWork = store.takeFollowUp(.mail) || !latest.isEmpty || hasOpened
        let isDue = nextLook?.isDue(at: now, within: lookSeconds) ?? true
        if hasNewWork && !isStoreFailing || isStoreLocked || isDue {
            look(at: now)
        }
        if isStoreLocked { return Limits.lockedStoreMilliseconds }
        guard let nextLook else { return lookSeconds * 1_000 }
        return max(1, now.seconds(until: nextLook) * 1_000)
    }

    /// Sends the mails that are due and waits up to `Limits.lastWaitSeconds` for all deliveries, before the program
    /// ends. Deliveries that still run then are cancelled, and their mails are sent after the next start.
    package func finish() {
        // The system clock may be set during this wait, so the deadline uses the monotonic clock.
        let deadline = MonotonicClock.milliseconds + Limits.lastWaitSeconds * 1_000
        // The last requests may have left mails, also those that other threads have executed.
        if deliveries != nil { nextLook = nil }
        repeat {
            _ = sendDue()
            guard isStoreLocked || !underWay.isEmpty else { return }
            Thread.sleep(microseconds: 1_000)
        } while MonotonicClock.milliseconds < deadline
        deliveries?.cancel()
        release()
    }

    /// Releases the claims on cancelled mails, so that other processes, or the next one, can send them at once.
    private func release() {
        // Mails that were delivered at the last moment must not be sent again.
        let latest = deliveries?.takeOutcomes() ?? []
        let delivered = (outcomes + latest).filter { $0.result == .delivered }.map(\.mail)
        guard !delivered.isEmpty || !underWay.isEmpty else { return }
        do {
            try store.retryWhileLocked {
                try store.write { tx in
                    for mail in delivered { try outbox.markDelivered(mail, at: time.now, in: tx) }
                    for mail in underWay.subtracting(delivered) { try outbox.claim(mail, until: time.now, in: tx) }
                }
                try store.makeDurable()
            }
        } catch {
            store.discardStaged()
            log(
                "mail: cancelled deliveries could not be released; they are retried in \(Limits.claimSeconds) seconds: "
                    + "\(error)"
            )
        }
    }

    /// Sends all mails that are due and waits for the deliveries, without a time limit.
    ///
    /// - Returns: the number of failed deliveries; nil if the store could not be used.
    package func deliverAll() -> Int? {
        repeat {
            _ = sendDue()
            guard !isStoreFailing else { return nil }
            Thread.sleep(microseconds: 1_000)
        } while isStoreLocked || !underWay.isEmpty
        return failureCount
    }

    private func look(at now: Timestamp) {
        let latest = now.adding(seconds: lookSeconds)
        let sweeps = nextSweep?.isDue(at: now, within: Accounts.Limits.sweepSeconds) ?? true
        var hasMoreToSweep = false
        let isOpen = deliveries?.isOpen ?? false
        var awaitsOpening = false
        var due: [DueMail] = []
        var failures: [String] = []
        do {
            let next = try store.write { tx in
                // A new store has nothing to sweep or to send. The first access to each record type takes longer than
                // the rest of a sweep, and longer than a request.
                guard try !tx.isEmpty else { return latest }
                failures = try outcomes.compactMap { try record($0, at: now, in: tx) }
                let nextMailSweep = try outbox.sweep(at: now, in: tx)
                if sweeps { hasMoreToSweep = try Sweep.run(at: now, audit: audit, in: tx) }
                let room = isOpen ? Limits.deliveriesMax - underWay.count + outcomes.count : 0
                let ended = Set(outcomes.map(\.mail))
                let busy = underWay.subtracting(ended)
                let waiting = try deliveries == nil ? [] : outbox.waiting(limit: room + busy.count + 1, in: tx)
                let free = waiting.filter { !busy.contains($0.id) }
                let dueNow = free.prefix { $0.nextAttempt.map { $0 <= now } ?? false }
                awaitsOpening = !isOpen && !dueNow.isEmpty
                due = try dueNow.prefix(room).compactMap { mail in
                    try outbox.content(of: mail, in: tx).map { DueMail(mail: mail, content: $0) }
                }
                for due in due {
                    try outbox.claim(due.mail.id, until: now.adding(seconds: Limits.claimSeconds), in: tx)
                }
                // Mails for which there is no room now are sent when a delivery ends or the deliveries open.
                let nextMail = free.dropFirst(due.count).first?.nextAttempt.map { $0 <= now ? latest : $0 }
                return min(nextMailSweep ?? latest, nextMail ?? latest, latest)
            }
            try store.makeDurable()
            for outcome in outcomes { underWay.remove(outcome.mail) }
            failures.forEach(log)
            failureCount += failures.count
            isOpeningAwaited = awaitsOpening
            (isStoreFailing, isStoreLocked) = (false, false)
            outcomes = []
            nextLook = max(next, now.adding(seconds: 1))
            if sweeps { nextSweep = now.adding(seconds: hasMoreToSweep ? 1 : Accounts.Limits.sweepSeconds) }
            due.forEach(send)
        } catch StoreError.locked {
            store.discardStaged()
            isStoreLocked = true
        } catch {
            isStoreLocked = false
            // Sent mails stay in `underWay` until the store has recorded them, so that they are not sent twice.
            store.discardStaged()
            if !isStoreFailing { log("mail: the outbox cannot be used: \(error)") }
            isStoreFailing = true
            nextLook = latest
        }
    }

    private func send(_ due: DueMail) {
        guard let deliveries else { return }
        underWay.insert(due.mail.id)
        deliveries.start(due)
    }

    /// Records the outcome of a delivery. Returns a log line if it failed; else nil.
    private func record(_ outcome: DeliveryOutcome, at now: Timestamp, in tx: Transaction) throws -> String? {
        let failure: DeliveryFailure
        switch outcome.result {
        case .delivered:
            try outbox.markDelivered(outcome.mail, at: now, in: tx)
            return nil
        case .returned:
            try outbox.claim(outcome.mail, until: now, in: tx)
            return nil
        case .failed(let reason): failure = reason
        }
        // The mail expired during its delivery, or was deleted.
        guard let mail = try outbox.mail(outcome.mail, in: tx), mail.nextAttempt != nil else { return nil }
        let attempt = mail.attempts + 1
        let retry = RetryPolicy.seconds(afterAttempt: attempt)
        let next = retry.map { now.adding(seconds: $0) }
        try outbox.markFailed(outcome.mail, error: failure.fullReason, retryAt: next, at: now, in: tx)
        let prospect = retry.map { "and is retried in \($0) seconds" } ?? "and is not retried"
        return "mail: number \(outcome.mail) could not be delivered \(prospect): \(failure.reason)"
    }
}
