import Accounts
import PosternTesting

/// A clock that reports each reading within a transaction of a session.
final class WatchedTime: TimeSource {
    private let time: any TimeSource
    private let session: SharedMemorySession
    private let memory: SharedMemory

    init(_ time: any TimeSource, session: SharedMemorySession, memory: SharedMemory) {
        (self.time, self.session, self.memory) = (time, session, memory)
    }

    var now: Timestamp {
        if session.isInTransaction { memory.recordEffectInTransaction("a clock reading") }
        return time.now
    }
}

/// A source of random bytes that reports each draw within a transaction of a session.
final class WatchedRandom: RandomSource {
    private let random: any RandomSource
    private let session: SharedMemorySession
    private let memory: SharedMemory

    init(_ random: any RandomSource, session: SharedMemorySession, memory: SharedMemory) {
        (self.random, self.session, self.memory) = (random, session, memory)
    }

    func bytes(_ count: Int) -> [UInt8] {
        if session.isInTransaction { memory.recordEffectInTransaction("random bytes") }
        return random.bytes(count)
    }
}
