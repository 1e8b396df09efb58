internal import CLibrary

/// Waits for a change of a word in memory that processes share: futex(2).
///
/// On a system without futexes, `wait` sleeps for at most a millisecond and `wake` does nothing.
package enum Futex {
    /// Waits until `wake` is called for the word, or until the timeout. Returns at once if the word does not have the
    /// value.
    ///
    /// - Parameters:
    ///   - word: the address of four bytes. For a word of eight, on a little-endian machine, that is its low half.
    ///   - milliseconds: the timeout, less than a second.
    package static func wait(_ word: UnsafeMutableRawPointer, while value: UInt32, milliseconds: Int) {
        #if !canImport(Darwin)
            linux_futex_wait(word, value, milliseconds * 1_000_000)
        #else
            // Untested.
            usleep(useconds_t(min(milliseconds, 1) * 1_000))
        #endif
    }

    /// Wakes all threads, of all processes, that wait for the word.
    package static func wake(_ word: UnsafeMutableRawPointer) {
        #if !canImport(Darwin)
            linux_futex_wake(word)
        #endif
    }
}
