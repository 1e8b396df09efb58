/// Work that a transaction asks for, to be done once it is durable: for example the delivery of a mail that it wrote.
///
/// It is a set, because many transactions may ask for the same work, which then looks into the store for what is to do.
package struct FollowUps: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }
}

/// What the transactions of a store ask for.
struct FollowUpList {
    /// What the transaction that is running asks for. It starts empty each time the transaction's closure runs.
    var current: FollowUps = []
    /// What transactions ask for that are not durable yet.
    private var staged: FollowUps = []
    /// What durable transactions ask for.
    private var due: FollowUps = []

    /// Keeps what the transaction that has just ended asks for, until it is durable.
    mutating func stage() { staged.formUnion(current) }

    /// The same for a read, which has nothing to make durable.
    mutating func release() { due.formUnion(current) }

    /// The staged transactions are durable.
    mutating func makeDue() {
        due.formUnion(staged)
        staged = []
    }

    /// The staged transactions are undone.
    mutating func discardStaged() { staged = [] }

    /// Whether a durable transaction has asked for the work since the last call.
    mutating func take(_ work: FollowUps) -> Bool {
        let isDue = !due.isDisjoint(with: work)
        due.subtract(work)
        return isDue
    }
}

/// What the transactions of a store share.
final class TransactionContext {
    let values = ValueWriter()
    var followUps = FollowUpList()
    /// The engine's `ordersNumbers`.
    let ordersNumbers: Bool

    /// Where the key of a look-up is built: enough for the longest prefix and two short components. Only the one
    /// thread of the store uses it, for one key at a time.
    let keyMemory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)

    init(ordersNumbers: Bool) {
        self.ordersNumbers = ordersNumbers
    }

    deinit { keyMemory.deallocate() }
}
