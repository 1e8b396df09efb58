internal import Glibc

/// Memory of zeros, which takes none of the machine's until it is written to.
///
/// It starts with a page, and so with a cache line: what has the size of one there lies in one, where `calloc` would have
/// it lie across two.
struct ZeroPages: ~Copyable {
    let start: UnsafeMutableRawPointer
    private let byteCount: Int

    init(byteCount: Int) throws(StoreError) {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
            throw .failed("allocate")
        }
        (self.start, self.byteCount) = (start, byteCount)
    }

    deinit {
        munmap(start, byteCount)
    }
}
