package import Accounts
internal import Glibc
package import JSONRPC
package import Store
internal import Platform

/// The account APIs over one store, with every source of effects in its place.
package final class Backend {
    /// Where everything is kept.
    package let store: Store
    /// The APIs over it.
    package let apis: AccountAPIs

    /// - Parameters:
    ///   - log: takes one line, without secrets, of what no request is told.
    package init(
        store: Store,
        time: any TimeSource,
        random: any RandomSource,
        composer: any MailComposer,
        settings: AccountSettings = AccountSettings(),
        log: @escaping (String) -> Void = { _ in }
    ) {
        let environment = Environment(
            store: store,
            time: time,
            random: random,
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: composer)
        )
        self.store = store
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
            runJob, store.maintain,
        ]
    }

    /// When to look for jobs that other processes left, or again after a failure.
    private var nextJobLook: Timestamp?
    private var isJobFailing = false
    private var expiredSecrets = ExpiredSecrets()
    private let log: (String) -> Void

    /// Does a piece of what requests left to be done, here or in another process. It takes no time where nothing is known
    /// to be left. Nothing may be staged.
    ///
    /// - Returns: in how many milliseconds it is to be called again; nil leaves that to others.
    package func runJob() -> Int? {
        let now = apis.environment.time.now
        let isDue = nextJobLook?.isDue(at: now, within: Accounts.Limits.jobLookSeconds) ?? true
        guard isDue || apis.care.hasJobs && !isJobFailing else {
            return isJobFailing ? nextJobLook.map { max(1, now.seconds(until: $0) * 1_000) } : nil
        }
        do {
            let hasMore = try apis.care.runJob()
            try store.makeDurable()
            nextJobLook = now.adding(seconds: Accounts.Limits.jobLookSeconds)
            isJobFailing = false
            return hasMore ? 0 : nil
        } catch StoreError.locked {
            store.discardStaged()
            return 1
        } catch {
            store.discardStaged()
            if !isJobFailing { report(error, while: "what a deletion left is removed") }
            isJobFailing = true
            nextJobLook = now.adding(seconds: 1)
            return 1_000
        }
    }

    /// Does the last that requests left to be done: the process is about to end. What takes longer is left to the next one.
    package func finish() {
        let deadline = MonotonicClock.milliseconds + Accounts.Limits.lastJobsMilliseconds
        do {
            try store.retryWhileLocked { try expiredSecrets.delete(in: store) }
        } catch {
            report(error, while: "expired sessions and codes are deleted")
        }
        while apis.care.hasJobs, !isJobFailing, MonotonicClock.milliseconds < deadline {
            if runJob() == 1 { usleep(1_000) }
        }
    }

    /// Logs what kept work from being done that no request waits for. What a request is told that writes is left out.
    private func report(_ error: any Error, while work: String) {
        switch error as? StoreError {
        case .busy, .locked, .readOnly, .diskFull: break
        default: log("store: while \(work): \(error)")
        }
    }

    /// Has what a refusal names as expired deleted after the request.
    func delete(afterwards expired: ExpiredSecret) {
        expiredSecrets.insert(expired)
    }

    /// Deletes sessions and codes that were refused as expired. Nothing may be staged.
    private func deleteExpiredSecrets() {
        do {
            try expiredSecrets.delete(in: store)
        } catch {
            report(error, while: "expired sessions and codes are deleted")
        }
    }
}
