internal import CSodium

/// A password as a request gives it. Its bytes are in memory of their own, which is overwritten with zeros once nothing
/// refers to them; a `String` would leave copies behind.
package final class Password: Sendable {
    // Written in `init` only, and read from then on, until `deinit` has it alone.
    nonisolated(unsafe) private let memory: UnsafeMutableRawBufferPointer

    /// How many bytes of UTF-8 it has.
    package let count: Int

    /// Makes a password of what `write` puts into memory.
    ///
    /// - Parameters:
    ///   - capacity: for how many bytes there is room.
    ///   - write: gives how many bytes the password has.
    package init(capacity: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) {
        memory = .allocate(byteCount: capacity, alignment: 1)
        count = write(memory)
    }

    /// Makes a password of the bytes of a text.
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
    /// Takes as long for any two passwords of one length.
    package static func == (left: Password, right: Password) -> Bool {
        guard left.count == right.count else { return false }
        let bytes = left.count
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                // There is no address where there are no bytes.
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return sodium_memcmp(left, right, bytes) == 0
            }
        }
    }
}

extension Given where Value == Password {
    /// Whether no password is given: absent, null or empty. White space is a password.
    package var isMissing: Bool {
        switch self {
        case .absent, .null: true
        case .mistyped: false
        case .value(let password): password.isEmpty
        }
    }

    /// The value where it is a password: 1 to `Limits.passwordBytesMax` bytes, taken exactly as given.
    package var password: Password? {
        guard let value, (1...Limits.passwordBytesMax).contains(value.count) else { return nil }
        return value
    }
}
