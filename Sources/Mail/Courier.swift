package import Accounts
package import Store
internal import Synchronization
package import Platform

/// Delivers what the outbox holds, and erases what has expired.
///
/// Mails go out on threads of their own, several at once, so that neither a reply nor another mail waits for one that
/// hangs. The store is used on the caller's thread alone. Of several processes on one store, one claims a mail before it
/// sends it. A mail is marked only after it went out: should the program end in between, it goes out again under the same
/// Message-ID.
package final class Courier {
    private let store: Store
    private let outbox: Outbox
    private let time: any TimeSource
    private let sender: MailSender
    private let driver: (any MailDriver)?
    private let log: (String) -> Void

    private let deliveries: Deliveries
    private var underWay = Set<Int>()
    /// Outcomes that are not in the store yet.
    private var outcomes: [Deliveries.Outcome] = []
    private var nextLook: Timestamp?
    /// When counts, quotas and codes that are over are next deleted; nil at the start, as the process may start late.
    private var nextSweep: Timestamp?
    /// Whether the store refused the last note; it is left alone for a while then.
    private var isStoreFailing = false
    /// Whether another process held the lock of the store at the last look.
    private var isStoreLocked = false
    private var failureCount = 0

    /// - Parameters:
    ///   - driver: how mails go out; nil keeps them in the outbox.
    ///   - sender: whom they are from.
    ///   - log: takes one line, without secrets, of what its operator should know.
    ///   - startThread: gives each mail the thread that it goes out on.
    ///   - wake: called, mostly on another thread, when `sendDue()` has something to do.
    package init(
        store: Store,
        outbox: Outbox,
        time: any TimeSource,
        driver: (any MailDriver)?,
        sender: MailSender,
        log: @escaping (String) -> Void,
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.outbox = outbox
        self.time = time
        self.driver = driver
        self.sender = sender
        self.log = log
        self.deliveries = Deliveries(startThread: startThread, wake: wake)
    }

    /// Sends the mails that are due, and records the outcomes of those that were sent. Nothing may be staged in the store.
    ///
    /// - Returns: in how many milliseconds it is to be called again, at the latest.
    package func sendDue() -> Int {
        let latest = deliveries.takeOutcomes()
        outcomes += latest
        let now = time.now
        let hasNews = outbox.takeNotice() || !latest.isEmpty
        let isDue = nextLook?.isDue(at: now, within: Limits.lookSeconds) ?? true
        if hasNews && !isStoreFailing || isStoreLocked || isDue {
            look(at: now)
        }
        if isStoreLocked { return Limits.lockedStoreMilliseconds }
        guard let nextLook else { return Limits.lookSeconds * 1_000 }
        return max(1, now.seconds(until: nextLook) * 1_000)
    }

    /// Sends what is due and waits for what is under way, though not for long: the program is about to end. What is not
    /// done by then is given up, and goes out after the next start.
    package func finish() {
        // The clock of the store may be set while this waits.
        let deadline = MonotonicClock.milliseconds + Limits.lastWaitSeconds * 1_000
        repeat {
            _ = sendDue()
            guard isStoreLocked || !underWay.isEmpty else { return }
            Thread.sleep(microseconds: 1_000)
        } while MonotonicClock.milliseconds < deadline
        driver?.cancel()
        release()
    }

    /// Lets other processes, or the next one, send at once what was given up here.
    private func release() {
        // What went out at the last moment is not to go out again.
        let delivered = (outcomes + deliveries.takeOutcomes()).filter { $0.failure == nil }.map(\.mail)
        guard !delivered.isEmpty || !underWay.isEmpty else { return }
        do {
            try store.retryWhileLocked {
                try store.write { tx in
                    for mail in delivered { try outbox.markDelivered(mail, in: tx) }
                    for mail in underWay.subtracting(delivered) { try outbox.claim(mail, until: time.now, in: tx) }
                }
                try store.makeDurable()
            }
        } catch {
            store.discardStaged()
            log("mail: what was given up goes out in \(Limits.claimSeconds) seconds: \(error)")
        }
    }

    /// Sends all that is due, however long it takes.
    ///
    /// - Returns: how many could not be delivered; nil where the store could not be used.
    package func deliverAll() -> Int? {
        repeat {
            _ = sendDue()
            guard !isStoreFailing else { return nil }
            Thread.sleep(microseconds: 1_000)
        } while isStoreLocked || !underWay.isEmpty
        return failureCount
    }

    private func look(at now: Timestamp) {
        let latest = now.adding(seconds: Limits.lookSeconds)
        let sweeps = nextSweep?.isDue(at: now, within: Accounts.Limits.sweepSeconds) ?? true
        var hasMoreToSweep = false
        var due: [(mail: OutboxMail, text: String)] = []
        var failures: [String] = []
        do {
            let next = try store.write { tx in
                failures = try outcomes.compactMap { try note($0, at: now, in: tx) }
                let nextMailSweep = try outbox.sweep(at: now, in: tx)
                if sweeps { hasMoreToSweep = try Sweep.run(at: now, in: tx) }
                let room = driver == nil ? 0 : Limits.deliveriesMax - underWay.count + outcomes.count
                let delivered = Set(outcomes.map(\.mail))
                let busy = underWay.subtracting(delivered)
                let waiting = try driver == nil ? [] : outbox.waiting(limit: room + busy.count + 1, in: tx)
                let free = waiting.filter { !busy.contains($0.id) }
                due = try free.prefix { $0.nextAttempt.map { $0 <= now } ?? false }.prefix(room).compactMap { mail in
                    try outbox.text(of: mail, in: tx).map { (mail, $0) }
                }
                for (mail, _) in due {
                    try outbox.claim(mail.id, until: now.adding(seconds: Limits.claimSeconds), in: tx)
                }
                // Mails for which there is no room now go when another is done, which wakes.
                let nextMail = free.dropFirst(due.count).first?.nextAttempt.map { $0 <= now ? latest : $0 }
                return min(nextMailSweep ?? latest, nextMail ?? latest, latest)
            }
            try store.makeDurable()
            for outcome in outcomes { underWay.remove(outcome.mail) }
            failures.forEach(log)
            failureCount += failures.count
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
            // What was sent stays under way, so that it does not go out twice, until the store takes the note of it.
            store.discardStaged()
            isStoreFailing = true
            log("mail: the outbox cannot be used: \(error)")
            nextLook = latest
        }
    }

    private func send(_ due: (mail: OutboxMail, text: String)) {
        guard let driver else { return }
        underWay.insert(due.mail.id)
        deliveries.start(due.mail.id, InternetMessage(due.mail, text: due.text, from: sender), by: driver)
    }

    /// Notes what came of a mail, and gives a line about it where it was not delivered.
    private func note(_ outcome: Deliveries.Outcome, at now: Timestamp, in tx: Transaction) throws -> String? {
        guard let failure = outcome.failure else {
            try outbox.markDelivered(outcome.mail, in: tx)
            return nil
        }
        // One that expired on its way is done with.
        guard let mail = try outbox.mail(outcome.mail, in: tx), mail.nextAttempt != nil else { return nil }
        let attempt = mail.attempts + 1
        let retry = RetryPolicy.seconds(afterAttempt: attempt)
        let next = retry.map { now.adding(seconds: $0) }
        try outbox.markFailed(outcome.mail, error: failure.fullReason, retryAt: next, in: tx)
        let prospect = retry.map { "trying again in \($0) seconds" } ?? "given up"
        return "mail: number \(outcome.mail) could not be delivered, \(prospect): \(failure.reason)"
    }
}

/// Mails on their way out, each on a thread.
private final class Deliveries: Sendable {
    struct Outcome: Sendable {
        let mail: Int
        let failure: DeliveryFailure?
    }

    private let outcomes = Mutex<[Outcome]>([])
    private let startThread: Thread.Starter
    private let wake: @Sendable () -> Void

    init(startThread: @escaping Thread.Starter, wake: @escaping @Sendable () -> Void) {
        self.startThread = startThread
        self.wake = wake
    }

    func start(_ mail: Int, _ message: InternetMessage, by driver: any MailDriver) {
        let hasStarted = startThread { [self] in
            var failure: DeliveryFailure?
            do throws(DeliveryFailure) {
                try driver.deliver(message)
            } catch {
                failure = error
            }
            end(Outcome(mail: mail, failure: failure))
        }
        if !hasStarted { end(Outcome(mail: mail, failure: DeliveryFailure("no thread is to be had"))) }
    }

    private func end(_ outcome: Outcome) {
        outcomes.withLock { $0.append(outcome) }
        wake()
    }

    /// The outcomes that came in since the last call.
    func takeOutcomes() -> [Outcome] {
        outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
    }
}
