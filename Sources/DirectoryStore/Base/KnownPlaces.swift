internal import Platform
import Store

/// A cache of the line offsets of keys that were found in a base. A lookup reads memory once, where a binary search of
/// the file reads a dozen places.
///
/// It is a table of buckets. A bucket is a cache line with eight slots. A slot is a number: the line's offset in the
/// low bits, and a part of the key's fingerprint above them. A full bucket replaces one slot by another, and the
/// evicted key is searched for again at its next lookup. A slot may belong to another key, so the caller compares the
/// key of the line.
struct KnownPlaces: ~Copyable {
    private let memory: MappedPages
    /// Points to all of `memory`, which lives as long. Bucket numbers are masked, and slot numbers are below eight.
    private let slots: UnsafeMutablePointer<UInt64>
    private let bucketMask: UInt64
    private static let slotsPerBucket = 8
    private static let offsetBits = 40
    private static let offsetMask: UInt64 = 1 << offsetBits - 1

    /// - Parameter fileBytes: the length of the base, which determines the size of the table.
    init(fileBytes: Int) throws(StoreError) {
        var buckets = 1
        while buckets * Self.slotsPerBucket * Limits.baseBytesPerKnownPlace < fileBytes { buckets *= 2 }
        bucketMask = UInt64(buckets - 1)
        let count = buckets * Self.slotsPerBucket
        memory = try .zeros(byteCount: count * MemoryLayout<UInt64>.stride)
        slots = memory.start.bindMemory(to: UInt64.self, capacity: count)
    }

    /// The first cached offset for a key with this fingerprint for which `isRight` returns true.
    func first(
        for fingerprint: KeyFingerprint,
        where isRight: (Int) throws(StoreError) -> Bool
    ) throws(StoreError) -> Int? {
        let bucket = bucket(of: fingerprint)
        for index in 0..<Self.slotsPerBucket {
            let offset = Int(bucket[index] & Self.offsetMask)
            // No line starts at 0, where the header is, so 0 marks an empty slot.
            guard offset != 0, bucket[index] & ~Self.offsetMask == Self.tag(of: fingerprint), try isRight(offset) else {
                continue
            }
            return offset
        }
        return nil
    }

    func note(_ offset: Int, for fingerprint: KeyFingerprint) {
        // An offset that is too large for a slot is not cached.
        guard offset <= Self.offsetMask else { return }
        let bucket = bucket(of: fingerprint)
        let free = (0..<Self.slotsPerBucket).first { bucket[$0] == 0 }
        bucket[free ?? Int(fingerprint.bits >> 61)] = Self.tag(of: fingerprint) | UInt64(offset)
    }

    private func bucket(of fingerprint: KeyFingerprint) -> UnsafeMutablePointer<UInt64> {
        slots + Int(fingerprint.bits & bucketMask) * Self.slotsPerBucket
    }

    /// The upper bits of the fingerprint, which do not select the bucket.
    private static func tag(of fingerprint: KeyFingerprint) -> UInt64 {
        fingerprint.bits & ~offsetMask
    }
}
