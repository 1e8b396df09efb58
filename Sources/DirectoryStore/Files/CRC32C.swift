internal import Platform
import Store

/// The CRC-32C checksum (Castagnoli, RFC 3720 §12.1), computed eight bytes at a time: with the processor's instruction
/// if it has one, otherwise with tables.
///
///     CRC32C.value(of: "123456789")                                   → e3069283
///     CRC32C.value(of: "6789", after: CRC32C.value(of: "12345"))      → e3069283
enum CRC32C {
    /// The checksum of `bytes`. If `before` is the checksum of earlier bytes, the result is the checksum of those bytes
    /// followed by `bytes`.
    static func value(of bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        guard hasInstruction else { return valueByTables(of: bytes, after: before) }
        return ~CRCInstruction.value(of: bytes, after: ~before)
    }

    private static let hasInstruction = CRCInstruction.isAvailable

    /// The same, for any processor.
    static func valueByTables(of bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var crc = ~before
            var index = 0
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ UInt64(crc)
                let low = UInt32(truncatingIfNeeded: word)
                let high = UInt32(truncatingIfNeeded: word >> 32)
                let first = tables[0x700 + Int(low & 0xFF)] ^ tables[0x600 + Int(low >> 8 & 0xFF)]
                let second = tables[0x500 + Int(low >> 16 & 0xFF)] ^ tables[0x400 + Int(low >> 24)]
                let third = tables[0x300 + Int(high & 0xFF)] ^ tables[0x200 + Int(high >> 8 & 0xFF)]
                let fourth = tables[0x100 + Int(high >> 16 & 0xFF)] ^ tables[Int(high >> 24)]
                crc = first ^ second ^ third ^ fourth
                index += 8
            }
            while index < bytes.count {
                crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])]
                index += 1
            }
            return ~crc
        }
    }

    /// The checksum before some bytes, from the checksum after them. It is used to repair files, so it is not
    /// optimised.
    ///
    ///     CRC32C.value(before: "6789", leadingTo: 0xe3069283)          → the checksum of "12345"
    static func value(before bytes: UnsafeRawBufferPointer, leadingTo after: UInt32) -> UInt32 {
        var crc = ~after
        for byte in bytes.reversed() {
            // A step shifts the checksum by one byte, so its first byte then is the first byte of the table's entry.
            // Each entry has a different first byte.
            let index = indexesByFirstByte[Int(crc >> 24)]
            crc = (crc ^ tables[Int(index)]) << 8 | UInt32(index ^ byte)
        }
        return ~crc
    }

    /// The index of the first table's entry that starts with a given byte.
    private static let indexesByFirstByte: [UInt8] = {
        var indexes = [UInt8](repeating: 0, count: 256)
        for index in 0..<256 { indexes[Int(tables[index] >> 24)] = UInt8(index) }
        return indexes
    }()

    /// Eight consecutive tables. Table k has the effect of a byte on the checksum if k more bytes follow it.
    private static let tables: [UInt32] = {
        let polynomial: UInt32 = 0x82F6_3B78
        var tables: [UInt32] = []
        tables.reserveCapacity(8 * 256)
        for byte in 0..<UInt32(256) {
            tables.append((0..<8).reduce(byte) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? polynomial : 0) })
        }
        for index in 256..<8 * 256 {
            let shorter = tables[index - 256]
            tables.append(shorter >> 8 ^ tables[Int(shorter & 0xFF)])
        }
        return tables
    }()
}

extension UInt32 {
    /// Reads eight hexadecimal digits as `appendHex(to:)` writes them; nil for anything else.
    init?(hex bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 8 else { return nil }
        self = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): self = self << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): self = self << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
    }
}
