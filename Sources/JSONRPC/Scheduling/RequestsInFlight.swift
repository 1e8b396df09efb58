/// The waiting requests by id, compared byte for byte.
///
/// A request that is executed at once cannot be confused with another, so most ids are never kept here.
struct RequestsInFlight {
    private var messages: [[UInt8]: PendingMessage] = [:]

    /// The request that waits with this id; nil if none does. `null` names no request.
    func message(_ id: UnsafeRawBufferPointer) -> PendingMessage? {
        messages.isEmpty ? nil : messages[Array(id)]
    }

    /// Adds a request that starts to wait. If another one with the same id waits already, that one is kept.
    mutating func insert(_ message: PendingMessage) {
        guard message.unit.request != nil, let id = message.unit.address.id, !id.elementsEqual("null".utf8) else {
            return
        }
        if messages[Array(id)] == nil { messages[Array(id)] = message }
    }

    /// Removes a request that was executed.
    mutating func remove(_ message: PendingMessage) {
        guard let id = message.unit.address.id, case let key = Array(id), messages[key] === message else { return }
        messages[key] = nil
    }
}
