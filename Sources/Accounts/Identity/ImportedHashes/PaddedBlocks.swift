internal import CSodium

/// The blocks of 64 bytes that MD5 and SHA-1 hash: the message, a one bit, zeros, and the message's length in bits
/// (FIPS 180-4 §5.1.1, RFC 1321 §3.1).
enum PaddedBlocks {
    /// Calls `body` with each block. The copy of the message is zeroed afterwards.
    ///
    /// - Parameters:
    ///   - bytesBefore: the length of the message's part that has been hashed.
    ///   - isBigEndian: the byte order of the length.
    static func forEach(
        of message: UnsafeBufferPointer<UInt8>,
        bytesBefore: Int = 0,
        isBigEndian: Bool,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        // The one bit takes a byte, and the length takes eight.
        let byteCount = (message.count + 9 + 63) / 64 * 64
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { blocks in
            blocks.initializeMemory(as: UInt8.self, repeating: 0)
            blocks.copyBytes(from: message)
            blocks[message.count] = 0x80
            let bits = UInt64(8 * (bytesBefore + message.count))
            blocks.storeBytes(
                of: isBigEndian ? bits.bigEndian : bits.littleEndian,
                toByteOffset: byteCount - 8,
                as: UInt64.self
            )
            let bytes = UnsafeBufferPointer(blocks.bindMemory(to: UInt8.self))
            for start in stride(from: 0, to: byteCount, by: 64) {
                body(UnsafeBufferPointer(rebasing: bytes[start..<start + 64]))
            }
            sodium_memzero(blocks.baseAddress, byteCount)
        }
    }
}
