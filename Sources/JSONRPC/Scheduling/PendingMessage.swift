/// A message that waits: for its turn in its lane, for slow work or for a worker.
final class PendingMessage {
    enum State {
        /// It waits for its turn.
        case queued
        /// Slow work for it, or a worker's phase of it, is under way.
        case underWay
        /// It was carried out.
        case done
    }

    var unit: UnitOfWork
    let lane: Lane
    /// Whether it waits only to be answered with an error. It then keeps no more than its id.
    let isRefusal: Bool
    var state = State.queued

    init(_ unit: UnitOfWork, in lane: Lane) {
        self.unit = unit
        self.lane = lane
        isRefusal = unit.request == nil
        if isRefusal { self.unit.keepOnlyID() }
    }
}
