import Store

/// Reading the transactions of other processes, and settling those that an earlier process left in doubt.
extension Journal {
    /// Whether there are unread transactions. No lock is needed.
    ///
    /// - Throws: why the journal is refused; the error of a failed sync, if unread transactions may depend on it.
    func hasNews() throws(StoreError) -> Bool {
        if case .refused(let error) = state { throw error }
        let status = try file.status()
        fileBytes = status.bytes
        let isAtEnd = try isAtEnd(of: status.bytes)
        // A file without a name may belong to an epoch that has just ended. The caller checks that with the lock held.
        if case .failed(let error) = state {
            // Another process may have made the lines durable whose sync has failed here, or others in their place.
            // They are not in this process's space.
            let isBehind = marks.map { $0.synced(epoch: epoch) > lengthBeforeGroup ?? length } ?? false
            guard isAtEnd, status.links > 0, !hasUnsyncedNews, !isBehind else { throw error }
            return false
        }
        return !isAtEnd || status.links == 0
    }

    /// Whether a file of this length contains the known lines and room, and nothing else.
    private func isAtEnd(of bytes: Int) throws(StoreError) -> Bool {
        guard bytes > length else { return bytes == length }
        // Another program may have overwritten lines with bytes that look like room. Reading them reports the damage.
        if let marks, marks.written(epoch: epoch) > length { return false }
        return try file.byte(at: length) == JournalRoom.filler
    }

    /// Reads the transactions of other processes. The lock must be held.
    ///
    /// - Returns: the torn tail of the file: part of a write that was never acknowledged.
    /// - Throws: `StoreError.damaged`, also if the file was removed or cut short.
    func readNews(into space: inout LayeredSpace) throws(StoreError) -> [UInt8] {
        guard try hasNews() else { return [] }
        let status = try file.status()
        guard status.links > 0 else {
            throw refuse(.damaged(file: file.name, offset: 0, reason: "the file was removed while it was in use"))
        }
        guard status.bytes >= length else {
            throw refuse(.damaged(file: file.name, offset: status.bytes, reason: "another program truncated the file"))
        }
        var torn = try read(unreadBytes(upTo: status.bytes), into: &space)
        // Lines after a torn line may show that the line was durable before, and so is damaged.
        if !torn.isEmpty { torn = try read(file.contents(from: length, upTo: status.bytes), into: &space) }
        updateAfterReading()
        // A process that was killed after its write has not noted it. The line may be acknowledged from now on, so a
        // process that reads without the lock must find it.
        if let marks, marks.written(epoch: epoch) < length { marks.noteWritten(epoch: epoch, length: length) }
        noteLossesSeen()
        return torn
    }

    /// Updates the state after lines of other processes were read.
    private func updateAfterReading() {
        durable = min(length, max(durable, replay.durable, marks?.synced(epoch: epoch) ?? 0))
        hasUnsyncedNews = durable < length
        // The process that wrote the lines erases the values that they replace.
        _ = replay.slots.takeSuperseded()
    }

    /// Reads the complete lines of other processes, without the lock. No process removes lines up to the shared mark.
    func readWhole(into space: inout LayeredSpace) throws(StoreError) {
        guard let end = marks?.written(epoch: epoch), end > length else { return }
        let lines = try file.contents(from: length, upTo: end)
        do throws(StoreError) {
            try lines.withUnsafeBytesTyped { bytes throws(StoreError) in
                try replay.read(bytes, isAll: false, into: &space)
            }
        } catch {
            throw refuse(error)
        }
        updateAfterReading()
    }

    /// Reads lines after the last known one, and returns the torn tail after them.
    private func read(_ unread: [UInt8], into space: inout LayeredSpace) throws(StoreError) -> [UInt8] {
        let before = length
        do throws(StoreError) {
            try unread.withUnsafeBytesTyped { bytes throws(StoreError) in try replay.read(bytes, into: &space) }
        } catch {
            throw refuse(error)
        }
        return Array(JournalRoom.torn(unread.dropFirst(length - before)))
    }

    /// The bytes after the last known line, without most of the room that follows: no line follows room.
    private func unreadBytes(upTo end: Int) throws(StoreError) -> [UInt8] {
        var unread: [UInt8] = []
        while length + unread.count < end, unread.last != JournalRoom.filler {
            let start = length + unread.count
            let next = try file.contents(from: start, upTo: min(end, start + max(Limits.newsBytes, unread.count)))
            // Only a program that ignores the lock cuts the file short in the meantime. The next check reports it.
            guard !next.isEmpty else { break }
            unread += next
        }
        return unread
    }

    /// Removes the torn tail that `readNews(into:)` returned. It must have been saved to another file before. The lock
    /// must be held.
    func cutTornTail() throws(StoreError) {
        try cutTail()
        durable = length
        hasUnsyncedNews = false
        marks?.reset(epoch: epoch, length: length, durable: length)
        noteLossesSeen()
    }

    /// Cuts off what is after the last known line, durably. The lock must be held.
    ///
    /// Until this is durable, bytes that were cut off may come back after a power cut, beside those of a line that was
    /// written in their place. If this process is killed before, the next one must settle the journal before it writes.
    func cutTail() throws(StoreError) {
        marks?.noteCut()
        let count = marks?.failures ?? 0
        try file.truncate(to: length)
        fileBytes = length
        try syncFile()
        if failuresSeen + 1 == count { failuresSeen = count }
    }

    /// Whether the journal must be settled before the next write, because a sync of another process has failed, or
    /// because another process has cut the journal.
    var mustSettle: Bool {
        switch state {
        case .ready, .lastLineToCheck: marks.map { $0.failures != failuresSeen } ?? false
        case .readOnly, .failed, .refused: false
        }
    }

    /// Makes the whole journal durable, and erases the values that an earlier process left to be erased. The lock must
    /// be held.
    ///
    /// Bytes that no line confirms as durable are written again: if the sync of an earlier process failed, the system
    /// may have marked dropped pages as clean, and another sync would not report it.
    func settle() throws(StoreError) {
        let failures = marks?.failures ?? 0
        // Lines that were read before the sync failed may have been dropped since.
        if mustSettle { _ = try unsyncedLines() }
        var offset = durable
        while offset < length {
            let bytes = try file.contents(from: offset, upTo: min(length, offset + Limits.carriedBytes))
            guard !bytes.isEmpty else { throw .damaged(file: file.name, offset: offset, reason: "was truncated") }
            try file.write(bytes, at: offset)
            offset += bytes.count
        }
        try syncFile()
        durable = length
        hasUnsyncedNews = false
        marks?.reset(epoch: epoch, length: length, durable: length)
        noteLossesSeen()
        failuresSeen = failures
        slotsToErase += replay.slots.takeSuperseded()
        erase()
    }

    /// Resets the shared marks to what this process has read. The lock must be held.
    func resetMarks() {
        marks?.reset(epoch: epoch, length: length, durable: durable)
        noteLossesSeen()
    }
}
