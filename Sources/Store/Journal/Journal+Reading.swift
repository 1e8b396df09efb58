/// Reading what other processes have added, and settling what an earlier process left in doubt.
extension Journal {
    /// Whether there is something that was not read yet. No lock is needed to ask.
    ///
    /// - Throws: why nothing goes on; the error of a sync that failed, where what it left in doubt matters.
    func hasNews() throws(StoreError) -> Bool {
        if case .refused(let error) = state { throw error }
        let status = try file.status()
        fileBytes = status.bytes
        let isAtEnd = try isAtEnd(of: status.bytes)
        // A file without a name may be that of an epoch that has just ended; the lock will tell.
        if case .failed(let error) = state {
            guard isAtEnd, status.links > 0, !hasUnsyncedNews else { throw error }
            return false
        }
        return !isAtEnd || status.links == 0
    }

    /// Whether so many bytes are no more than the lines that are known, and room behind them.
    private func isAtEnd(of bytes: Int) throws(StoreError) -> Bool {
        guard bytes > length else { return bytes == length }
        // Lines that another program has overwritten with what looks like room are missed when they are read.
        if let marks, marks.written(epoch: epoch) > length { return false }
        return try file.byte(at: length) == JournalRoom.filler
    }

    /// Reads what others have added. The lock must be held.
    ///
    /// - Returns: the torn end of a write, with which the file ends; nobody was told that it had succeeded.
    /// - Throws: `StoreError.damaged`, also where the file was removed or cut short.
    func readNews(into space: inout LayeredSpace) throws(StoreError) -> [UInt8] {
        guard try hasNews() else { return [] }
        let status = try file.status()
        guard status.links > 0 else {
            throw refuse(.damaged(file: file.name, offset: 0, reason: "the file was removed while it was in use"))
        }
        guard status.bytes >= length else {
            throw refuse(.damaged(file: file.name, offset: status.bytes, reason: "another program cut the file short"))
        }
        var torn = try read(news(upTo: status.bytes), into: &space)
        // Lines behind what looks torn may tell that it was once safely on the disk.
        if !torn.isEmpty { torn = try read(file.contents(from: length, upTo: status.bytes), into: &space) }
        noteNews()
        return torn
    }

    /// Brings what is known of the journal up to date with lines that others have added.
    private func noteNews() {
        durable = min(length, max(durable, replay.durable, marks?.synced(epoch: epoch) ?? 0))
        hasUnsyncedNews = durable < length
        // Whoever wrote the lines erases what they made superfluous.
        _ = replay.slots.takeSuperseded()
    }

    /// Reads the whole lines that others have added, without the lock: what the marks tell to be written is taken back by
    /// nobody.
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
        noteNews()
    }

    /// Reads lines from behind the last known one, and gives what was written and cut off behind them.
    private func read(_ news: [UInt8], into space: inout LayeredSpace) throws(StoreError) -> [UInt8] {
        let before = length
        do throws(StoreError) {
            try news.withUnsafeBytesTyped { bytes throws(StoreError) in try replay.read(bytes, into: &space) }
        } catch {
            throw refuse(error)
        }
        return Array(JournalRoom.torn(news.dropFirst(length - before)))
    }

    /// What stands behind the last known line, without most of the room that follows: whoever lives to tell leaves nothing
    /// behind that.
    private func news(upTo end: Int) throws(StoreError) -> [UInt8] {
        var news: [UInt8] = []
        while length + news.count < end, news.last != JournalRoom.filler {
            let start = length + news.count
            let next = try file.contents(from: start, upTo: min(end, start + max(Limits.newsBytes, news.count)))
            // Whoever cuts the file short meanwhile heeds no lock; that is noticed with the next look.
            guard !next.isEmpty else { break }
            news += next
        }
        return news
    }

    /// Cuts off what `readNews(into:)` found torn, once that is safe elsewhere. The lock must be held.
    func cutTornTail() throws(StoreError) {
        try file.truncate(to: length)
        fileBytes = length
        try syncFile()
        durable = length
        hasUnsyncedNews = false
    }

    /// Sees to it that all of the journal is on the disk, and erases what an earlier process left to be erased. The lock
    /// must be held.
    ///
    /// What no line tells to be on the disk is written once more: where the sync of an earlier process has failed, the
    /// system may take it for written though it is not, and a mere sync would not find out.
    func settle() throws(StoreError) {
        var offset = durable
        while offset < length {
            let bytes = try file.contents(from: offset, upTo: min(length, offset + Limits.carriedBytes))
            guard !bytes.isEmpty else { throw .damaged(file: file.name, offset: offset, reason: "was cut short") }
            try file.write(bytes, at: offset)
            offset += bytes.count
        }
        try syncFile()
        durable = length
        hasUnsyncedNews = false
        marks?.reset(epoch: epoch, length: length)
        slotsToErase += replay.slots.takeSuperseded()
        erase()
    }

    /// Has the marks tell no more than the lines do. The lock must be held.
    func resetMarks() {
        marks?.reset(epoch: epoch, length: durable)
    }
}
