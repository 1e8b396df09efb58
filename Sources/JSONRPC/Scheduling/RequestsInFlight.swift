/// The waiting requests by id, compared byte for byte.
///
/// A request that is carried out immediately cannot overlap with another of
/// the same id, so most ids are never stored here.
struct RequestsInFlight {
    private var entries: [[UInt8]: LaneEntry] = [:]

    /// The waiting request with this id; nil if there is none. `null` is not an id of a waiting request.
    func entry(_ id: UnsafeRawBufferPointer) -> LaneEntry? {
        entries.isEmpty ? nil : entries[Array(id)]
    }

    /// Adds a request that begins to wait.
    mutating func insert(_ entry: LaneEntry) {
        guard entry.request != nil, let id = entry.address.id, !id.elementsEqual("null".utf8) else { return }
        guard entries[Array(id)] == nil else { return }
        entries[Array(id)] = entry
        entry.isInFlight = true
    }

    /// Removes a request that was carried out.
    mutating func remove(_ entry: LaneEntry) {
        guard entry.isInFlight, let id = entry.address.id else { return }
        entries[Array(id)] = nil
        entry.isInFlight = false
    }
}
