internal import CSodium

/// A password from a request. Its memory is overwritten with zeros when it is released; a `String` would leave copies
/// behind.
package final class Password: Sendable {
    // Written only in `init`, then only read until `deinit`, which has exclusive access.
    nonisolated(unsafe) private let memory: UnsafeMutableRawBufferPointer

    /// The number of bytes of UTF-8.
    package let count: Int

    /// Creates a password from the bytes that `write` writes.
    ///
    /// - Parameters:
    ///   - capacity: the maximum number of bytes.
    ///   - write: writes the bytes and returns their number.
    package init(capacity: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) {
        memory = .allocate(byteCount: capacity, alignment: 1)
        count = write(memory)
    }

    /// Creates a password from the bytes of a text.
    package convenience init(_ text: some Collection<UInt8>) {
        self.init(capacity: text.count) { memory in
            memory.copyBytes(from: text)
            return text.count
        }
    }

    deinit {
        if let start = memory.baseAddress { sodium_memzero(start, memory.count) }
        memory.deallocate()
    }

    /// Whether it has no bytes.
    package var isEmpty: Bool { count == 0 }

    /// Calls `body` with the bytes, which it must not copy.
    package func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
}

extension Password: Equatable {
    /// Compares in constant time for passwords of the same length.
    package static func == (left: Password, right: Password) -> Bool {
        guard left.count == right.count else { return false }
        let bytes = left.count
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                // The address is nil only if there are no bytes.
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return sodium_memcmp(left, right, bytes) == 0
            }
        }
    }
}

extension Given where Value == Password {
    /// Whether the password is absent, null or empty. White space is a password.
    package var isMissing: Bool { isMissing(or: \.isEmpty) }

    /// The password if it has 1 to 1,024 bytes, unchanged; else nil.
    package var password: Password? {
        guard let value, (1...Limits.passwordBytesMax).contains(value.count) else { return nil }
        return value
    }
}
