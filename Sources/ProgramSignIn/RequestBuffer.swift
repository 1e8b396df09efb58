package import Platform

/// The bytes that a helper has read and not yet answered.
///
/// They contain passwords. So the memory has a fixed size, and what is removed is overwritten with zeros.
package final class RequestBuffer {
    private let memory: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init() {
        memory = .allocate(byteCount: Limits.requestBufferBytes, alignment: 1)
    }

    deinit {
        memory.wipe()
        memory.deallocate()
    }

    /// Waits for input and reads it.
    ///
    /// - Returns: false at the end of the input.
    package func fill(from input: FileDescriptor) throws(SystemError) -> Bool {
        let bytes = try input.readOnce(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
        count += bytes
        return bytes > 0
    }

    /// Adds bytes for which there is room.
    package func append(_ bytes: some Collection<UInt8>) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyBytes(from: bytes)
        count += bytes.count
    }

    /// Calls `body` with the bytes, which it must not keep.
    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Removes the first bytes.
    func removeFirst(_ removed: Int) {
        let rest = count - removed
        if let start = memory.baseAddress, rest > 0, removed > 0 {
            RawBytes.move(from: start + removed, to: start, count: rest)
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[rest..<count]).wipe()
        count = rest
    }
}
