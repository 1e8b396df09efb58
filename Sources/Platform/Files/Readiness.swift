internal import CLibrary

/// Waits until descriptors can be read or written.
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
    package static func wait(
        _ first: FileDescriptor,
        _ second: FileDescriptor?,
        milliseconds: Int?
    ) -> (first: Bool, second: Bool) {
        var states = [
            pollfd(fd: first.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: second?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = Int32(clamping: milliseconds ?? -1)
        let count = poll(&states, 2, timeout)
        if count >= 0 { return (states[0].revents != 0, states[1].revents != 0) }
        return errno == EINVAL ? select(first.rawValue, second?.rawValue, milliseconds: timeout) : (false, false)
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
        var time = timeval(
            tv_sec: time_t(milliseconds / 1_000),
            tv_usec: suseconds_t(milliseconds % 1_000 * 1_000)
        )
        let end = (descriptors.max() ?? 0) + 1
        let count =
            milliseconds < 0 ? selectReadable(end, &set, nil) : selectReadable(end, &set, &time)
        guard count > 0 else { return (false, false) }
        return withUnsafeBytes(of: &set) { bytes in
            func isReady(_ descriptor: Int32) -> Bool {
                bytes[Int(descriptor) / 8] & 1 << UInt8(descriptor % 8) != 0
            }
            return (isReady(first), second.map(isReady) ?? false)
        }
    }

    // MARK: Writing

    /// Whether a write to a descriptor returns without waiting: the descriptor has room, or the write fails.
    package static func hasRoom(_ descriptor: FileDescriptor) -> Bool {
        var state = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLOUT) != 0
    }

    /// Waits until a write to a descriptor has room or fails. It may return early.
    package static func waitForRoom(_ descriptor: FileDescriptor) {
        var state = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        // The host may have lowered RLIMIT_NOFILE so far that poll(2) fails.
        if poll(&state, 1, -1) < 0, errno == EINVAL { usleep(10_000) }
    }

    /// Waits until a write to a descriptor has room or fails, until another descriptor is readable, or until the
    /// timeout.
    ///
    /// - Returns: false after the timeout, or if the wait failed.
    package static func waitForRoom(
        _ writer: FileDescriptor,
        orInput reader: FileDescriptor?,
        milliseconds: Int
    ) -> Bool {
        var states = [
            pollfd(fd: writer.rawValue, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: reader?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        return poll(&states, 2, Int32(clamping: milliseconds)) > 0
    }

    /// Whether the other end of a descriptor is closed.
    package static func hasHungUp(_ descriptor: FileDescriptor) -> Bool {
        var state = pollfd(fd: descriptor.rawValue, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP) != 0
    }
}

/// select(2) for reading. A method above has the name of the C function, and would hide it inside the enum.
private func selectReadable(_ end: Int32, _ set: UnsafeMutablePointer<fd_set>, _ time: UnsafeMutablePointer<timeval>?)
    -> Int32
{
    select(end, set, nil, nil, time)
}
