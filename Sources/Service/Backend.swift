package import Accounts
package import Store

/// The account APIs over one store, with every source of effects in its place.
package final class Backend {
    /// Where everything is kept.
    package let store: Store
    /// What the APIs are handed.
    package let environment: Environment
    /// Field operators and their clients.
    package let operators: Operators
    /// Users, clinicians and their patients.
    package let care: Care
    /// Customers, salespeople and internal users.
    package let sales: Sales
    /// Lets requests be run again without a difference.
    let rerun: RerunEffects

    /// What a host chooses about the account APIs.
    package struct Settings {
        /// Whether an operator has to confirm the email before signing in.
        package var operatorsConfirmEmail = true

        package init() {}
    }

    /// - Parameter hashesElsewhere: whether requests wait for password work, rather than do it in place.
    package init(
        store: Store,
        time: any TimeSource,
        random: any RandomSource,
        composer: any MailComposer,
        hashesElsewhere: Bool,
        settings: Settings = Settings()
    ) {
        let rerun = RerunEffects(random: random)
        let environment = Environment(
            store: store,
            time: time,
            random: rerun,
            hasher: hashesElsewhere ? rerun : Argon2idHasher(),
            outbox: Outbox(composer: composer)
        )
        self.store = store
        self.environment = environment
        self.rerun = rerun
        self.operators = Operators(environment, confirmsEmail: settings.operatorsConfirmEmail)
        self.care = Care(environment)
        self.sales = Sales(environment)
    }

    /// When to look for jobs that other processes left.
    private var nextJobLook: Timestamp?
    private var isJobFailing = false

    /// Does a piece of what requests left to be done, here or in another process. It takes no time where nothing is known
    /// to be left. Nothing may be staged.
    ///
    /// - Returns: in how many milliseconds it is to be called again; nil leaves that to others.
    package func runJob() -> Int? {
        let now = environment.time.now
        let isDue = nextJobLook.map { $0 <= now || $0 > now.adding(seconds: Accounts.Limits.jobLookSeconds) } ?? true
        guard isDue || care.hasJobs && !isJobFailing else { return nil }
        do {
            let hasMore = try care.runJob()
            try store.makeDurable()
            nextJobLook = now.adding(seconds: Accounts.Limits.jobLookSeconds)
            isJobFailing = false
            return hasMore ? 0 : nil
        } catch {
            // A store that cannot be written to says so to whoever writes; until it can the job waits.
            store.discardStaged()
            isJobFailing = true
            nextJobLook = now.adding(seconds: 1)
            return 1_000
        }
    }

    /// Deletes sessions and codes that were refused as expired. Nothing may be staged.
    package func deleteExpiredSecrets() {
        do {
            try environment.expiredSecrets.delete(in: store)
        } catch {
            // A store that cannot be written to says so to whoever writes.
        }
    }
}
