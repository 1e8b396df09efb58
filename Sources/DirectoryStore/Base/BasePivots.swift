internal import Platform
import Store

/// A cache of the keys that the first steps of a binary search compare with.
///
/// The steps form a tree, numbered like a heap: node 1 halves the file, nodes 2 and 3 halve its halves. A node takes 64
/// bytes, a cache line: the offset of its line in the file, and the first 56 bytes of its key as it is written there.
struct BasePivots: ~Copyable {
    /// One more than the greatest node number.
    let count: Int
    /// Memory for `count` nodes. The caller of the methods must pass a number below `count`.
    private let memory: MappedPages
    private static let nodeBytes = 64
    private static let keyBytes = 56

    init(fileBytes: Int) throws(StoreError) {
        var count = 1
        while count * Limits.searchedBytes < fileBytes { count *= 2 }
        self.count = count
        memory = try .zeros(byteCount: count * Self.nodeBytes)
    }

    /// Whether a node's line is cached. No line starts at 0, where the header is.
    func isKnown(_ node: Int) -> Bool { line(of: node) != 0 }

    /// The offset of a node's line.
    func line(of node: Int) -> Int {
        memory.start.load(fromByteOffset: node * Self.nodeBytes, as: Int.self)
    }

    func note(_ node: Int, lineAt line: Int, of file: BaseFile) {
        memory.start.storeBytes(of: line, toByteOffset: node * Self.nodeBytes, as: Int.self)
        let key = file.keyStart(ofLineAt: line, count: Self.keyBytes)
        UnsafeMutableRawBufferPointer(start: memory.start + node * Self.nodeBytes + 8, count: Self.keyBytes).copyBytes(
            from: key
        )
    }

    /// Compares the key of a node's line with another key: negative, 0 or positive; nil if its first bytes do not
    /// decide.
    func compare(_ node: Int, _ order: KeyOrder) -> Int? {
        let start = UnsafeRawBufferPointer(start: memory.start + node * Self.nodeBytes + 8, count: Self.keyBytes)
        return order.compare(start)
    }
}
