internal import Platform

/// The bytes of the messages that one read completed, at a fixed address until the last of these messages has its
/// reply.
final class Chunk {
    // Written once, in `init`, and only read afterwards.
    let bytes: UnsafeRawBufferPointer
    /// The number of waiting messages in it.
    var waitingMessages = 0

    init(copying source: UnsafeRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 8)
        copy.copyMemory(from: source)
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
