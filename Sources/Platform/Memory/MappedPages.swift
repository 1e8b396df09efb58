#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Pages of memory, anonymous or of a file, that are unmapped with the value.
///
/// They start with a page, and so with a cache line: what has the size of one there lies in one, where `calloc` would have
/// it lie across two.
package struct MappedPages: ~Copyable {
    /// The first byte.
    package let start: UnsafeMutableRawPointer
    /// How many bytes are mapped.
    package let byteCount: Int

    /// Memory of zeros, which takes none of the machine's until it is written to.
    package init(zeros byteCount: Int) throws(SystemError) {
        try self.init(byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)
    }

    /// The start of a file, to be read.
    package init(reading file: FileDescriptor, byteCount: Int) throws(SystemError) {
        try self.init(byteCount, PROT_READ, MAP_SHARED, file.rawValue)
    }

    /// The start of a file, to be read and written together with other processes.
    package init(sharing file: FileDescriptor, byteCount: Int) throws(SystemError) {
        try self.init(byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue)
    }

    private init(_ byteCount: Int, _ access: Int32, _ flags: Int32, _ descriptor: Int32) throws(SystemError) {
        let start = mmap(nil, byteCount, access, flags, descriptor, 0)
        // MAP_FAILED is -1.
        guard let start, start != UnsafeMutableRawPointer(bitPattern: -1) else { throw .last }
        (self.start, self.byteCount) = (start, byteCount)
    }

    deinit {
        munmap(start, byteCount)
    }

    /// The bytes. They are valid as long as the value.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: byteCount) }

    /// Has the system read no more of the file than is looked at.
    package func expectRandomAccess() {
        madvise(start, byteCount, MADV_RANDOM)
    }

    /// Has the system read a part of the file ahead.
    package func readAhead(_ part: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = part.lowerBound / page * page
        guard first < part.upperBound else { return }
        madvise(start + first, part.upperBound - first, MADV_WILLNEED)
    }
}
