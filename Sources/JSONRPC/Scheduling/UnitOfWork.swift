/// What is needed to execute one message, and to execute it again.
///
/// Its writes and its reply take effect together or not at all, with one exception: after a failed sync the reply is an
/// error, but the writes may exist. The engine holds the writes, in the order of the units, and the `ReplyBuffer` the
/// reply.
struct UnitOfWork {
    enum Content {
        /// The handler executes the request.
        case request(Request)
        /// The reply is an error, and nothing is executed. The case is indirect because an error is
        /// large and rare.
        indirect case refusal(RPCError)
        /// The host cancelled the request: nothing is executed, and there is no reply.
        case cancelled
    }

    private(set) var content: Content
    private(set) var address: ReplyAddress
    /// The phase that the last slow work returned; nil before the first.
    var phase: (any RequestPhase)?

    init(_ request: Request, to address: ReplyAddress) {
        content = .request(request)
        self.address = address
    }

    init(_ refusal: RPCError, to address: ReplyAddress) {
        content = .refusal(refusal)
        self.address = address
    }

    /// The request to execute; nil if there is none.
    var request: Request? {
        if case .request(let request) = content { request } else { nil }
    }

    var isCancelled: Bool {
        if case .cancelled = content { true } else { false }
    }

    mutating func cancel() {
        content = .cancelled
    }

    /// Makes an error the reply, so that nothing is executed.
    mutating func refuse(_ error: RPCError) {
        content = .refusal(error)
    }

    /// Refuses the request if the reply to its batch is full: such a batch executes no further request.
    mutating func refuseInFullBatch(by policy: any RequestPolicy) {
        guard let place = address.place, place.batch.isFull, let request, request.id != nil else { return }
        refuse(policy.formatted(.batchReplyTooLong, for: request))
    }

    /// Releases the bytes that were read with the message, except its id.
    mutating func keepOnlyID() {
        let copy = address.id.map { Chunk(copying: $0) }
        address = ReplyAddress(id: copy?.bytes, place: address.place, chunk: copy ?? .empty)
    }
}
