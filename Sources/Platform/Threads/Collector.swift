internal import Synchronization

/// Elements that several threads add, and one thread takes all at once.
package final class Collector<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    package init() {}

    /// Adds an element at the end.
    package func add(_ element: Element) {
        elements.withLock { $0.append(element) }
    }

    /// Removes and returns all elements, in the order in which they were added.
    package func takeAll() -> [Element] {
        elements.withLock { elements in
            defer { elements = [] }
            return elements
        }
    }
}
