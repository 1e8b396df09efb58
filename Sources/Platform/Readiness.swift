internal import Glibc

/// Waits until descriptors can be read.
package enum Readiness {
    /// Waits until one of two descriptors is readable or at its end, or until the timeout.
    ///
    /// poll(2) fails if it gets more descriptors than the current RLIMIT_NOFILE, which the host may have lowered.
    /// select(2) does not check that limit and is used then.
    ///
    /// - Parameters:
    ///   - first: a descriptor.
    ///   - second: a second descriptor; nil for none.
    ///   - milliseconds: the timeout; nil for no timeout.
    /// - Returns: whether each is ready.
    package static func wait(_ first: Int32, _ second: Int32?, milliseconds: Int?) -> (first: Bool, second: Bool) {
        var states = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0),
            pollfd(fd: second ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = Int32(clamping: milliseconds ?? -1)
        let count = poll(&states, 2, timeout)
        if count >= 0 { return (states[0].revents != 0, states[1].revents != 0) }
        return errno == EINVAL ? select(first, second, milliseconds: timeout) : (false, false)
    }

    private static func select(_ first: Int32, _ second: Int32?, milliseconds: Int32) -> (first: Bool, second: Bool) {
        let descriptors = [first, second].compactMap { $0 }
        guard descriptors.allSatisfy({ (0..<Int32(FD_SETSIZE)).contains($0) }) else {
            // Neither call accepts such a descriptor. Report both as ready, after a pause that keeps processor use low.
            usleep(10_000)
            return (true, second != nil)
        }
        var set = fd_set()
        withUnsafeMutableBytes(of: &set) { bytes in
            for descriptor in descriptors { bytes[Int(descriptor) / 8] |= 1 << UInt8(descriptor % 8) }
        }
        var time = timeval(tv_sec: Int(milliseconds) / 1_000, tv_usec: Int(milliseconds) % 1_000 * 1_000)
        let end = (descriptors.max() ?? 0) + 1
        let count =
            milliseconds < 0 ? Glibc.select(end, &set, nil, nil, nil) : Glibc.select(end, &set, nil, nil, &time)
        guard count > 0 else { return (false, false) }
        return withUnsafeBytes(of: &set) { bytes in
            func isReady(_ descriptor: Int32) -> Bool {
                bytes[Int(descriptor) / 8] & 1 << UInt8(descriptor % 8) != 0
            }
            return (isReady(first), second.map(isReady) ?? false)
        }
    }
}
