internal import Platform

/// Bytes that were read and do not form a whole message yet.
///
/// They may contain a password. So memory that is no longer used, because the bytes were moved or removed, is
/// overwritten with zeros. An array would leave copies behind when it grows.
struct InputBuffer: ~Copyable {
    // Only this struct has the address; the first `count` bytes are in use.
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

    /// Removes the first bytes, and frees memory that was allocated for one long message.
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
