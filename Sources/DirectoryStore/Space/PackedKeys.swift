internal import Platform
import Store

/// Sorted keys whose bytes are stored contiguously.
///
/// A search reads contiguous memory and does no reference counting.
struct PackedKeys {
    private var bytes: [UInt8] = []
    /// The end offset of each key in `bytes`.
    private var ends: [Int] = []

    /// The number of keys, and the number of their bytes.
    var count: Int { ends.count }
    var byteCount: Int { bytes.count }

    subscript(index: Int) -> StoreKey {
        StoreKey(bytes: Array(bytes[start(of: index)..<ends[index]]))
    }

    /// The index of the first key that is not less than `key`, and whether that key equals `key`.
    func place(of key: StoreKey) -> (index: Int, isThere: Bool) {
        key.bytes.withUnsafeBytes { place(of: $0) }
    }

    /// The same of a key that is given by its bytes.
    func place(of key: UnsafeRawBufferPointer) -> (index: Int, isThere: Bool) {
        bytes.withUnsafeBytes { bytes in
            ends.withUnsafeBufferPointer { ends in
                // The addresses are nil only if there are no keys, or if `key` is empty, which is less than all others.
                guard let bytes = bytes.baseAddress, let keyStart = key.baseAddress else { return (0, false) }
                var (low, high) = (0, ends.count)
                while low < high {
                    let middle = (low &+ high) / 2
                    let start = middle == 0 ? 0 : ends[middle &- 1]
                    let count = ends[middle] &- start
                    let common = RawBytes.order(bytes + start, keyStart, count: min(count, key.count))
                    let order = common != 0 ? common : count &- key.count
                    if order == 0 { return (middle, true) }
                    if order < 0 { low = middle &+ 1 } else { high = middle }
                }
                return (low, false)
            }
        }
    }

    mutating func insert(_ key: StoreKey, at index: Int) {
        let start = start(of: index)
        bytes.insert(contentsOf: key.bytes, at: start)
        ends.insert(start, at: index)
        moveEnds(from: index, by: key.bytes.count)
    }

    mutating func remove(at index: Int) {
        let place = start(of: index)..<ends[index]
        bytes.removeSubrange(place)
        ends.remove(at: index)
        moveEnds(from: index, by: -place.count)
    }

    /// Removes the keys from an index on, and returns them.
    mutating func cut(at index: Int) -> PackedKeys {
        let start = start(of: index)
        var rest = PackedKeys()
        rest.bytes = Array(bytes[start...])
        rest.ends = ends[index...].map { $0 - start }
        bytes.removeSubrange(start...)
        ends.removeSubrange(index...)
        return rest
    }

    private mutating func moveEnds(from index: Int, by bytes: Int) {
        // Through a buffer, the array is checked for uniqueness once instead of for each element, and the loop can be
        // vectorised.
        ends.withUnsafeMutableBufferPointer { ends in
            for later in index..<ends.count { ends[later] &+= bytes }
        }
    }

    private func start(of index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }
}
