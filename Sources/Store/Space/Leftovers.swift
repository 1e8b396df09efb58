internal import Platform

/// Frees what takes long to free: a hundred thousand entries, or a mapped file that has no name any more.
enum Leftovers {
    /// Holds the last reference to a space. Safe to send: only the thread that frees it uses it.
    private final class Box: @unchecked Sendable {
        private var space: LayeredSpace?

        init(_ space: consuming LayeredSpace) {
            self.space = space
        }

        func free() {
            space = nil
        }
    }

    static func release(_ space: consuming LayeredSpace) {
        let box = Box(space)
        // Without a thread the box frees it here.
        _ = Thread.start {
            // Before the memory is given back, and not when the closure ends. The C library would keep hundreds of
            // megabytes for later.
            box.free()
            ProcessMemory.releaseFree()
        }
    }
}
