/// A message that has not been answered for good.
final class LaneEntry {
    /// The request; nil for a message that is answered with `refusal`.
    let request: Request?
    let refusal: RPCError?
    private(set) var address: ReplyAddress
    var lane: Lane?
    /// Whether slow work for it is under way.
    var isWaiting = false
    var isDone = false
    /// Whether it was taken back before its turn came.
    var isCancelled = false
    /// Whether its batch's answer was full when its turn came, so that it is refused instead of carried out.
    var hasNoRoom = false
    /// Whether its id is noted as one that waits.
    var isInFlight = false
    /// What slow work gave for it; nil where none was done.
    var phase: (any RequestPhase)?

    init(_ request: Request, to address: ReplyAddress) {
        self.request = request
        self.refusal = nil
        self.address = address
    }

    init(_ refusal: RPCError, to address: ReplyAddress) {
        self.request = nil
        self.refusal = refusal
        self.address = address
    }

    /// Lets go of all that was read with a message that is refused; its answer needs the id alone.
    func keepOnlyID() {
        let copy = address.id.map { Chunk(copying: $0) }
        address = ReplyAddress(id: copy?.bytes, place: address.place, chunk: copy ?? .empty)
    }
}
