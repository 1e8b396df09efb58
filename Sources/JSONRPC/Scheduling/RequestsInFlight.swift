/// The requests that wait, by their ids as they were written.
///
/// A request that is carried out as it comes has no time to be confused with another, so most ids are never kept here.
struct RequestsInFlight {
    private var entries: [[UInt8]: LaneEntry] = [:]

    /// The request that waits with this id; nil where none does. `null` names no request.
    func entry(_ id: UnsafeRawBufferPointer) -> LaneEntry? {
        entries.isEmpty ? nil : entries[Array(id)]
    }

    /// Keeps a request that begins to wait.
    mutating func insert(_ entry: LaneEntry) {
        guard entry.request != nil, let id = entry.address.id, !id.elementsEqual("null".utf8) else { return }
        guard entries[Array(id)] == nil else { return }
        entries[Array(id)] = entry
        entry.isInFlight = true
    }

    /// Forgets a request that was carried out.
    mutating func remove(_ entry: LaneEntry) {
        guard entry.isInFlight, let id = entry.address.id else { return }
        entries[Array(id)] = nil
        entry.isInFlight = false
    }
}
