internal import CSodium

extension Password {
    /// Calls `body` with the bytes as libsodium takes them, then zeros the stack, where the hash function leaves
    /// copies.
    func withCharacters<Value>(_ body: (UnsafePointer<CChar>, UInt64) -> Value) -> Value {
        defer { sodium_stackzero(16_384) }
        return withUnsafeBytes { bytes in
            // The address is nil if there are no bytes. libsodium reads none then.
            guard let start = bytes.baseAddress else { return body("", 0) }
            return body(start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
        }
    }

    /// Whether the last byte is NUL.
    ///
    /// HMAC fills a short key up with zeros, so PBKDF2 and scrypt give one hash for a password and for the same with a
    /// NUL after it. Only the one without it matches: a sign-in with the other would rehash another password.
    var endsWithNul: Bool { withUnsafeBytes { $0.last == 0 } }

    /// The first bytes of the password followed by a NUL, as C functions take a text; nil if a byte is NUL.
    ///
    /// - Parameter bytesMax: the number of bytes that count.
    func cString(bytesMax: Int = .max) -> Password? {
        withUnsafeBytes { bytes in
            guard !bytes.contains(0) else { return nil }
            let counted = bytes.prefix(bytesMax)
            return Password(capacity: counted.count + 1) { memory in
                memory.copyBytes(from: counted)
                memory[counted.count] = 0
                return counted.count + 1
            }
        }
    }
}
