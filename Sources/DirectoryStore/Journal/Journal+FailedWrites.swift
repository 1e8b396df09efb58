internal import Platform
import Store

/// What happens after a write or a sync has failed, in this process or in another one.
extension Journal {
    // A write that fails, as on a full disk: its bytes are removed, the requests get `disk_full`, and a later write may
    // succeed.
    //
    // A sync that fails, even because the disk is full: the lines stay, and other processes may read them. The requests
    // get `damaged`, and this process writes no more until it is restarted.

    /// The lines of other processes that may not be durable. They are written again with the next line: if a sync has
    /// failed, the system may drop them at any time, and a line after the gap would make the journal unreadable.
    ///
    /// - Throws: `StoreError.damaged` if they were dropped.
    func unsyncedLines() throws(StoreError) -> [UInt8] {
        guard hasUnsyncedNews else { return [] }
        durable = min(length, max(durable, marks?.synced(epoch: epoch) ?? 0))
        guard durable < length else { return [] }
        let lines = try file.contents(from: durable, upTo: length)
        let last = lines.suffix(length - replay.lastLineStart)
        // Dropped sectors read as room, or as NUL bytes.
        guard !lines.contains(where: { $0 == JournalRoom.filler || $0 == 0 }),
            last.withUnsafeBytes({ replay.isLastLine($0) })
        else { throw refuseChangedLine() }
        return lines
    }

    /// Checks after a sync or a compaction, which may be another process's, that the last known line is still in the
    /// file. The sync of this process would have reported that lines were dropped. The sync of a process that opened it
    /// later does not, and syncs what was written in their place.
    func checkNotReplaced() throws(StoreError) {
        let losses = marks?.losses ?? 0
        let line = try file.contents(from: replay.lastLineStart, upTo: length)
        guard line.withUnsafeBytes({ replay.isLastLine($0) }) else {
            throw .systemCall(name: "sync \(file.name)", .inputOutput, outcomeUnknown: true)
        }
        lossesSeen = losses
    }

    /// Records that the journal has all lines that this process knows. The directory lock must be held.
    func noteLossesSeen() {
        lossesSeen = marks?.losses ?? 0
    }

    /// Checks before a write that follows a failed one that the last known line is unchanged in the file.
    func checkLastLine() throws(StoreError) {
        switch state {
        case .ready: return
        case .readOnly: throw .readOnly
        case .failed(let error), .refused(let error): throw error
        case .lastLineToCheck: break
        }
        let line = try file.contents(from: replay.lastLineStart, upTo: length)
        guard line.withUnsafeBytes({ replay.isLastLine($0) }) else { throw refuseChangedLine() }
        state = .ready
    }

    private func refuseChangedLine() -> StoreError {
        let reason = "the last line has changed since it was written"
        return refuse(.damaged(file: file.name, offset: replay.lastLineStart, reason: reason))
    }

    /// Removes the bytes of a failed write.
    func removeFailedWrite(after failure: StoreError) {
        if case .systemCall = failure { state = .lastLineToCheck(after: failure) }
        do throws(StoreError) {
            // Without a sync a power cut could bring back whole lines that were refused.
            try cutTail()
        } catch {
            // The caller gets the error of the write. A failed sync refuses the next write.
            if case .failed = state { return }
            // The next process that takes the lock finds a torn tail and moves it to a separate file.
            state = .lastLineToCheck(after: failure)
        }
    }

    /// Refuses all further use.
    func refuse(_ error: StoreError) -> StoreError {
        state = .refused(error)
        return error
    }
}
