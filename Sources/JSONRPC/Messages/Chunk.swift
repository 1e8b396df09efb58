internal import Platform

/// The bytes of the messages that one read completed, at a fixed address until the last of these messages has its
/// reply.
final class Chunk {
    // Written once, in `init`, and only read afterwards.
    let bytes: UnsafeRawBufferPointer
    /// The number of waiting messages in it.
    var waitingMessages = 0

    /// - Parameter rest: bytes that follow those of `source`.
    init(copying source: UnsafeRawBufferPointer, then rest: UnsafeRawBufferPointer = .init(start: nil, count: 0)) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count + rest.count, alignment: 8)
        copy.copyMemory(from: source)
        UnsafeMutableRawBufferPointer(rebasing: copy[source.count...]).copyMemory(from: rest)
        self.bytes = UnsafeRawBufferPointer(copy)
    }

    deinit {
        // The bytes may contain a password.
        UnsafeMutableRawBufferPointer(mutating: bytes).wipe()
        bytes.deallocate()
    }

    /// A chunk without bytes.
    static var empty: Chunk { Chunk(copying: UnsafeRawBufferPointer(start: nil, count: 0)) }
}
