#if canImport(Glibc) || canImport(Musl)
    internal import CLinux
#endif
#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Waits for a change to a word in memory that processes share: futex(2).
///
/// Where there are no futexes a wait is a short sleep, and a wake-up does nothing.
package enum Futex {
    /// Waits until the word is woken, no longer has the value, or the time is over.
    ///
    /// - Parameters:
    ///   - word: the low half of the word on a machine of little endian.
    ///   - milliseconds: less than a second.
    package static func wait(_ word: UnsafeMutableRawPointer, while value: UInt32, milliseconds: Int) {
        #if canImport(Glibc) || canImport(Musl)
            linux_futex_wait(word, value, milliseconds * 1_000_000)
        #else
            // Untested.
            usleep(useconds_t(min(milliseconds, 1) * 1_000))
        #endif
    }

    /// Wakes all that wait for the word.
    package static func wake(_ word: UnsafeMutableRawPointer) {
        #if canImport(Glibc) || canImport(Musl)
            linux_futex_wake(word)
        #endif
    }
}
