package import Accounts
package import JSONRPC
package import Store
internal import Platform

/// The account APIs over one store, with their clock, randomness, password hasher and outbox.
package final class Backend {
    /// The store of all accounts.
    package let store: Store
    /// The account APIs.
    package let apis: AccountAPIs
    /// Whether the store is on another machine, so that each use of it takes a round trip.
    let isRemote: Bool

    /// - Parameters:
    ///   - isRemote: whether the store is on another machine.
    ///   - sessionUses: when sessions were last used. All backends of a process, one for each worker, share it.
    ///   - log: writes one line, without secrets, about an error that no reply reports.
    package init(
        store: Store,
        time: any TimeSource,
        random: any RandomSource,
        composer: any MailComposer,
        settings: AccountSettings = AccountSettings(),
        isRemote: Bool = false,
        sessionUses: SessionUses = SessionUses(),
        log: @escaping (String) -> Void = { _ in }
    ) {
        let environment = Environment(
            store: store,
            time: time,
            random: random,
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: composer),
            sessionUses: sessionUses
        )
        self.store = store
        self.isRemote = isRemote
        self.apis = AccountAPIs(environment, settings)
        self.log = log
    }

    /// The background work of the account APIs. Nothing may be staged while it runs.
    package var tasks: [LoopTask] {
        [
            {
                self.deleteExpiredSecrets()
                return nil
            },
            storeSessionUses, runJob, store.maintain,
        ]
    }

    /// Whether there may be jobs. It is true at the start, because another process may have left some.
    private var mayHaveJobs = true
    /// When to look next for jobs of other processes, or to retry after a failure.
    private var nextJobLook: Timestamp?
    private var isJobFailing = false
    private var expiredSecrets = ExpiredSecrets()
    private let log: (String) -> Void

    /// Runs one transaction of the jobs that requests of this or another process left. It returns at once if no job is
    /// known. Nothing may be staged.
    ///
    /// - Returns: after how many milliseconds to call it again; nil for not before the next request or wake-up.
    package func runJob() -> Int? {
        let now = apis.environment.time.now
        let isDue = nextJobLook?.isDue(at: now, within: Accounts.Limits.jobLookSeconds) ?? true
        if store.takeFollowUp(.jobs) { mayHaveJobs = true }
        guard isDue || mayHaveJobs && !isJobFailing else {
            return isJobFailing ? nextJobLook.map { max(1, now.seconds(until: $0) * 1_000) } : nil
        }
        do {
            let hasMore = try apis.runJobs()
            try store.makeDurable()
            mayHaveJobs = hasMore
            nextJobLook = now.adding(seconds: Accounts.Limits.jobLookSeconds)
            isJobFailing = false
            return hasMore ? 0 : nil
        } catch StoreError.locked {
            store.discardStaged()
            return 1
        } catch {
            store.discardStaged()
            if !isJobFailing { report(error, while: "finishing the work of earlier requests") }
            isJobFailing = true
            nextJobLook = now.adding(seconds: 1)
            return 1_000
        }
    }

    /// Numbers some of the events that are committed, in a store that does not number them at once. Nothing may be
    /// staged.
    ///
    /// - Returns: whether there may be more.
    package func numberEvents() -> Bool {
        do {
            return try AuditTrail.numberEvents(in: store, apis.sales.settings.auditBounds, waits: false)
        } catch {
            store.discardStaged()
            report(error, while: "numbering events")
            return false
        }
    }

    /// Deletes expired sessions and codes, and runs the remaining jobs for at most `Limits.lastJobsMilliseconds`,
    /// before the process ends. The next process runs the rest.
    package func finish() {
        let deadline = MonotonicClock.milliseconds + Accounts.Limits.lastJobsMilliseconds
        do {
            try store.retryWhileLocked { try expiredSecrets.delete(in: store) }
        } catch {
            report(error, while: "deleting expired sessions and codes")
        }
        storeLastSessionUses()
        if store.takeFollowUp(.jobs) { mayHaveJobs = true }
        while mayHaveJobs, !isJobFailing, MonotonicClock.milliseconds < deadline {
            if runJob() == 1 { Thread.sleep(microseconds: 1_000) }
        }
    }

    /// Logs an error of background work. It omits the errors that every request that writes also gets.
    private func report(_ error: any Error, while work: String) {
        switch Failure(error) {
        case .store(.busy), .store(.locked), .store(.readOnly), .store(.diskFull), .store(.serverDiskFull),
            .store(.contended), .store(.unavailable):
            break
        default: log("store: while \(work): \(error)")
        }
    }

    /// Stores when sessions were last used, if that is due. Nothing may be staged.
    ///
    /// - Returns: after how many milliseconds to call it again; nil for not before the next request or wake-up.
    private func storeSessionUses() -> Int? {
        let (uses, now) = (apis.environment.sessionUses, apis.environment.time.now)
        guard let seconds = uses.secondsUntilDue(at: now) else { return nil }
        guard seconds == 0 else { return seconds * 1_000 }
        do {
            return try uses.store(in: store) ? 0 : nil
        } catch StoreError.locked {
            store.discardStaged()
            return 1
        } catch {
            store.discardStaged()
            // The time of a use is not worth more attempts, and requests report why the store cannot be written.
            uses.postpone(at: now, seconds: Accounts.Limits.sessionUseSeconds)
            return nil
        }
    }

    /// Stores when sessions were last used, as far as the store's time is too old, before the process ends.
    private func storeLastSessionUses() {
        let uses = apis.environment.sessionUses
        uses.removeRecent()
        do {
            var hasMore = true
            while hasMore { try store.retryWhileLocked { hasMore = try uses.store(in: store) } }
        } catch {
            store.discardStaged()
        }
    }

    /// Marks an expired session or code, which a request was refused for, for deletion after the request.
    func delete(afterwards expired: ExpiredSecret) {
        expiredSecrets.insert(expired)
    }

    /// Deletes sessions and codes that were refused as expired. Nothing may be staged.
    private func deleteExpiredSecrets() {
        do {
            try expiredSecrets.delete(in: store)
        } catch {
            report(error, while: "deleting expired sessions and codes")
        }
    }
}
