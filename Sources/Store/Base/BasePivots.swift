internal import Platform

/// What the upper halvings of a search compare with.
///
/// The halvings make a tree, numbered as a heap is: node 1 halves the file, 2 and 3 its halves. A node takes 64 bytes, a
/// cache line: where its line starts in the file, and the first 56 bytes of its key as it is written there.
struct BasePivots: ~Copyable {
    /// One more than the greatest number of a node.
    let count: Int
    /// Room for `count` nodes, of which whoever searches names no other.
    private let memory: MappedPages
    private static let nodeBytes = 64
    private static let keyBytes = 56

    init(fileBytes: Int) throws(StoreError) {
        var count = 1
        while count * Limits.searchedBytes < fileBytes { count *= 2 }
        self.count = count
        memory = try .zeros(byteCount: count * Self.nodeBytes)
    }

    /// Whether a node's line was noted. No line starts at 0, where the header is.
    func isKnown(_ node: Int) -> Bool { line(of: node) != 0 }

    /// Where a node's line starts.
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

    /// Whether the key of a node's line is before, at or behind another; nil where its first bytes do not tell.
    func compare(_ node: Int, _ order: KeyOrder) -> Int? {
        let start = UnsafeRawBufferPointer(start: memory.start + node * Self.nodeBytes + 8, count: Self.keyBytes)
        return order.compare(start)
    }
}
