internal import Synchronization

/// Words of memory that processes share. They are only accessed with atomic operations.
package protocol SharedWords: AnyObject {
    /// The value of a word; acquiring.
    func load(_ word: Int) -> UInt64
    /// Sets a word; releasing.
    func store(_ value: UInt64, in word: Int)
    /// Sets a word if it has the expected value, and returns whether it had; releasing.
    func exchange(_ expected: UInt64, with value: UInt64, in word: Int) -> Bool
    /// Adds 1 to a word, with overflow; releasing.
    func increment(_ word: Int)
    /// Waits until a process wakes those that wait for a word, or until the timeout. Returns at once if the low half of
    /// the word does not have the value.
    ///
    /// - Parameter milliseconds: the timeout, less than a second.
    func wait(for word: Int, while value: UInt32, milliseconds: Int)
    /// Wakes all threads, of all processes, that wait for a word.
    func wake(_ word: Int)
}

/// Words at the start of a mapped file.
final class MappedWords: SharedWords {
    private let pages: MappedPages
    private let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// Maps a file that is long enough: an access to a page after its end would kill the process.
    init(of file: FileDescriptor, count: Int) throws(SystemError) {
        pages = try MappedPages(sharing: file, byteCount: count * MemoryLayout<UInt64>.size)
        words = pages.start.bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    func load(_ word: Int) -> UInt64 { words[word].load(ordering: .acquiring) }

    func store(_ value: UInt64, in word: Int) { words[word].store(value, ordering: .releasing) }

    func exchange(_ expected: UInt64, with value: UInt64, in word: Int) -> Bool {
        words[word].compareExchange(expected: expected, desired: value, ordering: .releasing).exchanged
    }

    func increment(_ word: Int) { words[word].wrappingAdd(1, ordering: .releasing) }

    func wait(for word: Int, while value: UInt32, milliseconds: Int) {
        Futex.wait(words + word, while: value, milliseconds: milliseconds)
    }

    func wake(_ word: Int) {
        Futex.wake(words + word)
    }
}
