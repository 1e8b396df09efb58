internal import CLibrary

/// A blocking queue: threads post elements, and another thread takes them and waits if the queue is empty.
///
/// Safe to share: the mutex protects all state.
package final class Mailbox<Element: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var elements = Queue<Element>()

    /// An empty queue.
    package init() {
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
            // Untested. Waits there have a relative time.
            pthread_cond_init(condition, nil)
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds an element at the end.
    package func post(_ element: Element) {
        pthread_mutex_lock(mutex)
        elements.append(element)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Removes and returns the first element. Waits if the queue is empty.
    package func take() -> Element {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let element = elements.removeFirst() { return element }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// Removes and returns the first element. Waits up to `milliseconds` if the queue is empty; nil if it is empty
    /// then.
    package func take(milliseconds: Int) -> Element? {
        let deadline = MonotonicClock.milliseconds + milliseconds
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let element = elements.removeFirst() { return element }
            let rest = deadline - MonotonicClock.milliseconds
            guard rest > 0 else { return nil }
            wait(milliseconds: rest, until: deadline)
        }
    }

    /// Waits until something is posted or the time is over; it may return early.
    private func wait(milliseconds: Int, until deadline: Int) {
        #if canImport(Darwin)
            // Untested.
            var time = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
            pthread_cond_timedwait_relative_np(condition, mutex, &time)
        #else
            var time = timespec(tv_sec: deadline / 1_000, tv_nsec: deadline % 1_000 * 1_000_000)
            pthread_cond_timedwait(condition, mutex, &time)
        #endif
    }
}
