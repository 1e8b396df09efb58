internal import Platform
import Store

/// Frees in the background what takes long to free: a hundred thousand entries, or a mapped file that is already
/// unlinked.
enum Leftovers {
    /// Holds the last reference to a space. Safe to send: only the thread that frees the space uses it.
    private final class Box: @unchecked Sendable {
        private var space: LayeredSpace?

        init(_ space: consuming LayeredSpace) {
            self.space = space
        }

        func free() {
            space = nil
        }
    }

    static func release(_ space: consuming LayeredSpace, _ calls: any SystemCalls) {
        let box = Box(space)
        // If no thread can be started, the box frees the space here.
        _ = calls.startThread {
            // The space must be freed before `releaseFree`, not at the end of the closure. Otherwise the C library
            // would keep hundreds of megabytes for later use.
            box.free()
            ProcessMemory.releaseFree()
        }
    }
}
