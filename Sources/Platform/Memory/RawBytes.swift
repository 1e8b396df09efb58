internal import CLibrary

/// The C library's functions on bytes in memory. They use the processor's widest instructions.
package enum RawBytes {
    /// Compares bytes as unsigned numbers. The result is negative, 0 or positive: memcmp(3).
    package static func order(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, count: Int) -> Int {
        Int(memcmp(left, right, count))
    }

    /// Whether two places have the same bytes. If the compiler knows the count, it compares words in place of a call.
    package static func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, count: Int) -> Bool {
        memcmp(left, right, count) == 0
    }

    /// Orders two strings of bytes, as a dictionary does: negative, 0 or positive.
    package static func order(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        // An empty buffer may have no address. It is less than all others.
        guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else {
            return left.count - right.count
        }
        let order = order(leftStart, rightStart, count: min(left.count, right.count))
        return order != 0 ? order : left.count - right.count
    }

    /// Moves bytes; the places may overlap.
    package static func move(from source: UnsafeRawPointer, to place: UnsafeMutableRawPointer, count: Int) {
        memmove(place, source, count)
    }
}

extension UnsafeRawBufferPointer {
    /// The offset of the first byte with a value; nil if no byte has it.
    package func offset(of byte: UInt8) -> Int? {
        // The address is nil only if there are no bytes.
        guard let start = baseAddress, let place = memchr(start, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(place) - start
    }

    /// The offset of the first byte with a value in a part of the bytes; nil if no byte of the part has it.
    package func offset(of byte: UInt8, in part: Range<Int>) -> Int? {
        guard let start = baseAddress, part.count > 0,
            let place = memchr(start + part.lowerBound, Int32(byte), part.count)
        else { return nil }
        return UnsafeRawPointer(place) - start
    }

    /// Whether both have the same bytes.
    package func hasBytes(of other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let start = baseAddress, let otherStart = other.baseAddress else { return true }
        return memcmp(start, otherStart, count) == 0
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros. The compiler must not remove this write, although the zeros are never read.
    package func wipe() {
        guard let baseAddress, count > 0 else { return }
        #if canImport(Darwin)
            // Untested.
            memset_s(baseAddress, count, 0, count)
        #else
            explicit_bzero(baseAddress, count)
        #endif
    }
}
