/// SHA-1 (FIPS 180-4 §6.1), for imported hashes of PBKDF2 with SHA-1 alone: libsodium lacks it, and libcrypt does not
/// export it.
///
/// HMAC and PBKDF2 do not need the resistance to collisions that SHA-1 has lost (RFC 6194 §3.3).
struct SHA1 {
    static let bytesCount = 20
    static let blockBytes = 64

    private var (a, b, c, d, e): (UInt32, UInt32, UInt32, UInt32, UInt32) = (
        0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0
    )
    /// The number of blocks before the message.
    private var blockCount = 0

    init() {}

    /// The state after one block.
    init(after block: UnsafeBufferPointer<UInt8>) {
        add(block)
        blockCount = 1
    }

    /// Writes the hash of the earlier block and a message.
    func finish(_ message: UnsafeBufferPointer<UInt8>, into hash: UnsafeMutablePointer<UInt8>) {
        var state = self
        PaddedBlocks.forEach(of: message, bytesBefore: blockCount * Self.blockBytes, isBigEndian: true) {
            state.add($0)
        }
        let words = (state.a.bigEndian, state.b.bigEndian, state.c.bigEndian, state.d.bigEndian, state.e.bigEndian)
        withUnsafeBytes(of: words) {
            UnsafeMutableRawBufferPointer(start: hash, count: Self.bytesCount).copyMemory(from: $0)
        }
    }

    private mutating func add(_ block: UnsafeBufferPointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { w in
            let bytes = UnsafeRawBufferPointer(block)
            for t in 0..<16 { w[t] = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self)) }
            for t in 16..<80 { w[t] = Self.rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1) }
            var (a, b, c, d, e) = (self.a, self.b, self.c, self.d, self.e)
            for t in 0..<80 {
                let (f, k): (UInt32, UInt32) =
                    switch t {
                    case ..<20: ((b & c) | (~b & d), 0x5A82_7999)
                    case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                    case ..<60: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
                    default: (b ^ c ^ d, 0xCA62_C1D6)
                    }
                (a, b, c, d, e) = (Self.rotate(a, 5) &+ f &+ e &+ k &+ w[t], a, Self.rotate(b, 30), c, d)
            }
            (self.a, self.b, self.c) = (self.a &+ a, self.b &+ b, self.c &+ c)
            (self.d, self.e) = (self.d &+ d, self.e &+ e)
        }
    }

    private static func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 {
        (value &<< bits) | (value &>> (32 &- bits))
    }
}
