internal import Platform

/// Bytes that were read and are no whole message yet.
///
/// They may hold a password, so memory that is left, because the bytes moved or because they are done with, is
/// overwritten with zeros first. An array would leave copies behind as it grows.
struct InputBuffer: ~Copyable {
    // Nobody else has its address; the first `count` bytes are in use.
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    deinit {
        memory.wipe()
        memory.deallocate()
    }

    /// Adds bytes at the end.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        if memory.count - count < bytes.count { resize(to: max(2 * memory.count, count + bytes.count, 256)) }
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Takes out the first bytes; room that was taken for one long message is given back.
    mutating func removeFirst(_ removed: Int) {
        guard removed > 0 else { return }
        let rest = count - removed
        if let start = memory.baseAddress, rest > 0 { RawBytes.move(from: start + removed, to: start, count: rest) }
        UnsafeMutableRawBufferPointer(rebasing: memory[rest..<count]).wipe()
        count = rest
        if memory.count > 2 * Limits.readBytes, rest <= Limits.readBytes { resize(to: rest) }
    }

    /// Calls `body` with all bytes.
    func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    private mutating func resize(to capacity: Int) {
        let other = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
        other.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.wipe()
        memory.deallocate()
        memory = other
    }
}
