internal import CLibrary

/// Mapped pages of memory, anonymous or of a file. They are unmapped when the value is destroyed.
///
/// The memory starts at a page, and so at a cache line. An item of the size of a cache line therefore lies in one line;
/// in memory from `calloc` it could lie across two.
package struct MappedPages: ~Copyable {
    /// The first byte.
    package let start: UnsafeMutableRawPointer
    /// The number of mapped bytes.
    package let byteCount: Int
    /// Whether the pages are unmapped when the value is destroyed.
    private let isOwned: Bool
    /// Whether the pages are those of a file and only read.
    private let isReadingFile: Bool

    /// Maps memory of zeros. It uses no physical memory until it is written to.
    package init(zeros byteCount: Int) throws(SystemError) {
        try self.init(byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)
    }

    /// Maps the start of a file for reading.
    package init(reading file: FileDescriptor, byteCount: Int) throws(SystemError) {
        try self.init(byteCount, PROT_READ, MAP_SHARED, file.rawValue)
    }

    /// Maps the start of a file for reading and writing. Other processes that map the file see the changes.
    package init(sharing file: FileDescriptor, byteCount: Int) throws(SystemError) {
        try self.init(byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue)
    }

    /// Memory that stays valid while the value exists, in place of mapped pages.
    package init(borrowing bytes: UnsafeMutableRawBufferPointer) throws(SystemError) {
        guard let start = bytes.baseAddress else { throw .invalidArgument }
        (self.start, byteCount, isOwned, isReadingFile) = (start, bytes.count, false, false)
    }

    private init(_ byteCount: Int, _ access: Int32, _ flags: Int32, _ descriptor: Int32) throws(SystemError) {
        let start = mmap(nil, byteCount, access, flags, descriptor, 0)
        // MAP_FAILED is -1.
        guard let start, start != UnsafeMutableRawPointer(bitPattern: -1) else { throw .last }
        (self.start, self.byteCount, isOwned, isReadingFile) = (start, byteCount, true, access == PROT_READ)
    }

    deinit {
        if isOwned { munmap(start, byteCount) }
    }

    /// The bytes. They are valid while the value exists.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: byteCount) }

    /// Tells the system that accesses are random, so it reads only the accessed pages of the file.
    package func expectRandomAccess() {
        if isOwned { madvise(start, byteCount, MADV_RANDOM) }
    }

    /// Lets the system read a part of the file in advance.
    package func readAhead(_ part: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = part.lowerBound / page * page
        guard isOwned, first < part.upperBound else { return }
        madvise(start + first, part.upperBound - first, MADV_WILLNEED)
    }

    /// Removes the whole pages of a part of the file from the memory of this process. They stay in the system's cache,
    /// from which the next access takes them.
    package func release(_ part: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let (first, end) = ((part.lowerBound + page - 1) / page * page, part.upperBound / page * page)
        guard isReadingFile, first < end else { return }
        madvise(start + first, end - first, MADV_DONTNEED)
    }
}
