internal import CLinux
internal import Threads

/// Gets rid of what may take long to let go of: a hundred thousand entries, or a mapped file without a name.
enum Leftovers {
    /// Safe to send: nobody else has what is in it.
    private struct Box: @unchecked Sendable {
        let space: LayeredSpace
    }

    static func release(_ space: consuming LayeredSpace) {
        let box = Box(space: space)
        // Without a thread to be had it is let go of here.
        _ = Thread.start {
            Self.drop(box)
            // The C library keeps freed memory for later, and after a load there would be hundreds of megabytes of it.
            malloc_trim(0)
        }
    }

    private static func drop(_ box: consuming Box) {}
}
