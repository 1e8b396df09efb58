internal import Platform

/// The lanes whose next message can be executed once there is room for its reply or a worker is free. They are served
/// in the order in which they were paused, so a lane with many messages does not block the others.
struct PausedLanes {
    private var queue = Queue<Lane>()
    private var lanes = Set<Lane>()

    var isEmpty: Bool { lanes.isEmpty }

    /// Adds a lane at the end, unless it is paused already.
    mutating func append(_ lane: Lane) {
        if lanes.insert(lane).inserted { queue.append(lane) }
    }

    /// Removes and returns the lane that was paused first; nil if there is none.
    mutating func removeFirst() -> Lane? {
        guard let lane = queue.removeFirst() else { return nil }
        lanes.remove(lane)
        return lane
    }
}
