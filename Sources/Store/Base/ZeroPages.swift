internal import Glibc

/// Zeroed memory. The system allocates a page only when it is first written.
///
/// It is aligned to a page, and so to a cache line: an item of the size of a cache line lies in one. In memory from
/// `calloc` it could lie across two.
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
