/// A message whose final reply has not been written.
final class LaneEntry {
    /// The request; nil for a message that is answered with `refusal`.
    let request: Request?
    let refusal: RPCError?
    private(set) var address: ReplyAddress
    var lane: Lane?
    /// Whether its slow work is under way.
    var isWaiting = false
    var isDone = false
    /// Whether it was cancelled before its turn.
    var isCancelled = false
    /// Whether the reply of its batch was full at its turn. The message is then refused instead of carried out.
    var hasNoRoom = false
    /// Whether its id is in `RequestsInFlight`.
    var isInFlight = false
    /// The phase that its slow work returned; nil if no slow work was done.
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

    /// Copies the id of a refused message and releases its chunk: the reply needs only the id.
    func keepOnlyID() {
        let copy = address.id.map { Chunk(copying: $0) }
        address = ReplyAddress(id: copy?.bytes, place: address.place, chunk: copy ?? .empty)
    }
}
