/// A failure of a promise of the store.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What processes have asked of the store and what it has told them: the history that is checked.
///
/// Each transaction that writes adds a `Link` with the next number, so the links of the store tell the order in which
/// it says that the transactions took effect. Every reading must be what they give in that order.
///
/// Safe to send: only the thread whose turn it is uses it.
final class Ledger: @unchecked Sendable {
    private struct Attempt {
        let version: Int
        let writes: [State.Write]
        /// Whether a process got an error that says that nothing was written.
        var isRefused = false
    }

    private var attempts: [Int: Attempt] = [:]
    /// The transactions that must never be lost, in their order: those that were acknowledged, and those that an
    /// acknowledged reading showed.
    private(set) var order: [Int] = []
    /// The state after each of them; the first is the empty store.
    private var states = [State()]
    private var nextTransaction = 0
    private var delivered: Set<Int> = []
    private(set) var violation: Violation?

    /// The number of a new transaction.
    func newTransaction() -> Int {
        nextTransaction += 1
        return nextTransaction
    }

    /// Records the first failure.
    func fail(_ text: String) {
        if violation == nil { violation = Violation(text) }
    }

    // MARK: Transactions

    /// A transaction that has run, and may take effect from now on.
    func attempt(_ transaction: Int, version: Int, _ writes: [State.Write]) {
        attempts[transaction] = Attempt(version: version, writes: writes)
    }

    /// A process was told that nothing of these transactions was written.
    func refuse(_ transactions: [Int]) {
        for transaction in transactions { attempts[transaction]?.isRefused = true }
    }

    /// A process was told that these are the transactions so far, and may rely on it.
    func promise(_ transactions: [Int]) {
        if let fault = conflict(with: transactions) { return fail(fault) }
        for transaction in transactions.dropFirst(order.count) {
            let link = Link(version: order.count + 1, transaction: transaction)
            if let fault = fault(of: link) { return fail(fault) }
            append(link)
        }
    }

    /// Where transactions that a process has read differ from those that processes were told of; nil if nowhere.
    func conflict(with transactions: [Int]) -> String? {
        for (index, pair) in zip(transactions, order).enumerated() where pair.0 != pair.1 {
            return "transaction \(pair.0) has number \(index + 1), which transaction \(pair.1) had before"
        }
        return nil
    }

    private func append(_ link: Link) {
        var state = states[states.count - 1]
        state.apply(attempts[link.transaction]?.writes ?? [])
        order.append(link.transaction)
        states.append(state)
    }

    /// Why a link cannot be one of the store; nil if it can.
    private func fault(of link: Link) -> String? {
        guard let attempt = attempts[link.transaction] else { return "transaction \(link.transaction) was never made" }
        guard attempt.version == link.version else {
            return "transaction \(link.transaction) has number \(link.version), not \(attempt.version)"
        }
        if attempt.isRefused { return "transaction \(link.transaction) took effect, and was refused" }
        return nil
    }

    /// A process has claimed a mail, and delivers it.
    func deliver(_ mail: Int) {
        if !delivered.insert(mail).inserted { fail("mail \(mail) is delivered twice") }
    }

    // MARK: Readings

    /// The state after transactions, of which the first are those that processes were told of.
    func state(after transactions: [Int]) -> State {
        let count = min(transactions.count, order.count)
        var state = states[count]
        for transaction in transactions.dropFirst(count) { state.apply(attempts[transaction]?.writes ?? []) }
        return state
    }

    // MARK: Power cuts

    /// What is wrong with the links and records that were found after a power cut; nil if all promises were kept.
    ///
    /// - Parameter promised: how many transactions must be there; nil for all that must be there now.
    func fault(inFound links: [Link], _ records: State.Reading, promised: Int? = nil) -> String? {
        let promised = promised ?? order.count
        if links.count < promised { return "\(promised) transactions were acknowledged, and \(links.count) are left" }
        for (index, link) in links.enumerated() {
            if link.version != index + 1 { return "number \(link.version) is at place \(index + 1)" }
            if index >= order.count, let fault = fault(of: link) { return fault }
        }
        let transactions = links.map(\.transaction)
        return conflict(with: transactions) ?? state(after: transactions).fault(in: records)
    }

    /// Goes on with what was found after a power cut.
    func goOn(from links: [Link]) {
        for link in links.dropFirst(order.count) { append(link) }
        // What was lost never comes back.
        for (transaction, attempt) in attempts
        where attempt.version > order.count || order[attempt.version - 1] != transaction {
            attempts[transaction]?.isRefused = true
        }
    }
}
