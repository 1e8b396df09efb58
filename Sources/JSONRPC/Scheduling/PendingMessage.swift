/// A message that waits for its turn in its lane, for slow work or for a worker.
final class PendingMessage {
    enum State {
        /// It waits for its turn.
        case queued
        /// Its slow work or one of its phases runs on another thread.
        case underWay
        /// It was executed.
        case done
    }

    var unit: UnitOfWork
    let lane: Lane
    /// Whether its reply is an error, for which it only waits for its turn. Of its bytes it then keeps only the id.
    let isRefusal: Bool
    var state = State.queued

    init(_ unit: UnitOfWork, in lane: Lane) {
        self.unit = unit
        self.lane = lane
        isRefusal = unit.request == nil
        if isRefusal { self.unit.keepOnlyID() }
    }
}
